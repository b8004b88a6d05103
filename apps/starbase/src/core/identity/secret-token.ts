import { createHash, randomBytes } from "node:crypto";

/** A secret that is shown once and kept as a hash: 192 random bits, so a plain SHA-256 is enough to keep. */
export const newSecret = (prefix: string): string => `${prefix}_${randomBytes(24).toString("base64url")}`;

export const hashOfSecret = (secret: string): Buffer => createHash("sha256").update(secret).digest();

/** The beginning of a token, to tell it from others. */
export const prefixOf = (secret: string): string => secret.slice(0, 9);
