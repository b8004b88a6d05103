import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto";
import type { SecretBox } from "../../core/variables/ports.ts";

/**
 * AES-256-GCM. `keys` lists `<id>:<32 bytes as base64>`, one a line or separated by commas: the first seals, all open,
 * so that a key is rotated by putting a new one in front. Ciphertext: 12 bytes nonce, text, 16 bytes tag.
 */
export function secretBox(keys: string): SecretBox {
  const ring = readKeys(keys);
  const first = ring[0];
  const last = ring.at(-1);
  if (!first || !last) throw new Error("no encryption key: give at least one as <id>:<base64 of 32 bytes>");
  // Digests must survive a rotation, so they hang on the oldest key.
  const digestKey = Buffer.from(hkdfSync("sha256", last.key, "", "starform digest", 32));
  return {
    seal(text) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv("aes-256-gcm", first.key, nonce).setAAD(Buffer.from(first.id));
      const ciphertext = Buffer.concat([
        nonce,
        cipher.update(text, "utf8"),
        cipher.final(),
        cipher.getAuthTag(),
      ]);
      return { keyId: first.id, ciphertext };
    },
    open({ keyId, ciphertext }) {
      const found = ring.find(({ id }) => id === keyId);
      if (!found)
        throw new Error(
          `the encryption key ${keyId} is not configured any more: put it back behind the current one`,
        );
      const decipher = createDecipheriv("aes-256-gcm", found.key, ciphertext.subarray(0, 12));
      decipher.setAAD(Buffer.from(keyId)).setAuthTag(ciphertext.subarray(-16));
      return Buffer.concat([decipher.update(ciphertext.subarray(12, -16)), decipher.final()]).toString(
        "utf8",
      );
    },
    digest: (text) => `sha256:${createHmac("sha256", digestKey).update(text).digest("hex")}`,
  };
}

export type KeyFingerprint = { readonly id: string; readonly fingerprint: string };

/** What each key of `keys` is known by again: a digest under the key itself, from which it cannot be had. */
export const fingerprintsOf = (keys: string): KeyFingerprint[] =>
  readKeys(keys).map(({ id, key }) => ({
    id,
    fingerprint: createHmac("sha256", key).update("starform fingerprint").digest("hex"),
  }));

const readKeys = (keys: string) =>
  keys
    .split(/[\s,]+/)
    .filter(Boolean)
    .map(readKey);

function readKey(text: string): { id: string; key: Buffer } {
  const [id, base64] = text.split(":");
  const key = Buffer.from(base64 ?? "", "base64");
  if (!id || key.length !== 32) throw new Error("an encryption key is written <id>:<base64 of 32 bytes>");
  return { id, key };
}
