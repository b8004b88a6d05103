import {
  createPrivateKey,
  createPublicKey,
  sign as signBytes,
  verify as verifyBytes,
  type KeyObject,
} from "node:crypto";

/** `<key id>:<base64 of the 64 bytes of an Ed25519 signature>` */
export type Signature = string;

/** What makes signatures; `publicKeys` is what a `verifierOf` on the other side is given. */
export type Signer = { readonly sign: (text: string) => Signature; readonly publicKeys: string };
export type Verifier = (text: string, signature: Signature | undefined) => boolean;

/** DER around a raw Ed25519 key, from RFC 8410: a private key's seed and a public key. */
const privatePrefix = Buffer.from("302e020100300506032b657004220420", "hex");
const publicPrefix = Buffer.from("302a300506032b6570032100", "hex");

/**
 * Signs with the first of `keys`, written `<id>:<base64 of 32 bytes>`, one a line or separated by commas: a key is
 * rotated by putting a new one in front, once the verifiers know its public half. `purpose` is signed along, so that
 * a signature made for one use is worth nothing for another.
 */
export function signerOf(keys: string, purpose: string): Signer {
  const ring = split(keys).map(({ id, bytes }) => ({
    id,
    key: createPrivateKey({ key: Buffer.concat([privatePrefix, bytes]), format: "der", type: "pkcs8" }),
  }));
  const first = ring[0];
  if (!first) throw new Error("no signing key: give at least one as <id>:<base64 of 32 bytes>");
  return {
    sign: (text) => `${first.id}:${signBytes(null, bytesOf(purpose, text), first.key).toString("base64")}`,
    publicKeys: ring.map(({ id, key }) => `${id}:${rawPublic(key).toString("base64")}`).join("\n"),
  };
}

/** Says whether a text was signed, for `purpose`, by one of the public keys; a missing signature is none. */
export function verifierOf(publicKeys: string, purpose: string): Verifier {
  const ring = new Map(
    split(publicKeys).map(({ id, bytes }) => [
      id,
      createPublicKey({ key: Buffer.concat([publicPrefix, bytes]), format: "der", type: "spki" }),
    ]),
  );
  if (ring.size === 0) throw new Error("no public key: give at least one as <id>:<base64 of 32 bytes>");
  return (text, signature) => {
    const [id = "", base64 = ""] = (signature ?? "").split(":");
    const key = ring.get(id);
    return key !== undefined && verifyBytes(null, bytesOf(purpose, text), key, Buffer.from(base64, "base64"));
  };
}

const bytesOf = (purpose: string, text: string): Buffer => Buffer.from(`${purpose}\n${text}`, "utf8");

const rawPublic = (key: KeyObject): Buffer =>
  createPublicKey(key).export({ format: "der", type: "spki" }).subarray(publicPrefix.length);

function split(keys: string): { id: string; bytes: Buffer }[] {
  return keys
    .split(/[\s,]+/)
    .filter(Boolean)
    .map((text) => {
      const [id = "", base64 = ""] = text.split(":");
      const bytes = Buffer.from(base64, "base64");
      if (!/^[\w.-]+$/.test(id) || bytes.length !== 32)
        throw new Error("a signing key is written <id>:<base64 of 32 bytes>");
      return { id, bytes };
    });
}
