import { createHmac, timingSafeEqual } from "node:crypto";
import type { AccessTokens } from "../../core/identity/ports.ts";

/**
 * JWTs of one kind only: HS256, `{sub: <session id>, exp}`. The algorithm is not read from the token, so there is
 * nothing to negotiate; a signature is compared in constant time.
 */
export function accessTokens(key: string): AccessTokens {
  const head = encode({ alg: "HS256", typ: "JWT" });
  const signatureOf = (text: string): Buffer => createHmac("sha256", key).update(text).digest();
  return {
    sign(sessionId, expiresAt) {
      const text = `${head}.${encode({ sub: sessionId, exp: Math.floor(expiresAt.getTime() / 1_000) })}`;
      return `${text}.${signatureOf(text).toString("base64url")}`;
    },
    read(token, now) {
      const [tokenHead, body, signature] = token.split(".");
      if (tokenHead !== head || !body || !signature) return undefined;
      const [given, right] = [Buffer.from(signature, "base64url"), signatureOf(`${head}.${body}`)];
      if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined;
      const { sub, exp } = JSON.parse(Buffer.from(body, "base64url").toString("utf8")) as {
        sub: string;
        exp: number;
      };
      return exp * 1_000 > now.getTime() ? sub : undefined;
    },
  };
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
