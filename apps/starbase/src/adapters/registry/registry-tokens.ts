import { X509Certificate, createPrivateKey, randomUUID, sign } from "node:crypto";
import type { RegistryTokens } from "../../core/images/ports.ts";

/** What the registry's configuration and every token say of each other. */
export const registryIssuer = "starform";
export const registryService = "starform-registry";

/**
 * Tokens of Docker's registry: JWTs signed with RS256, the certificate in the `x5c` header, which docker-registry 2.8
 * compares with the one of its configuration (`rootcertbundle`). It takes a token for a minute longer than it says.
 */
export function registryTokens({ key, certificate }: { key: string; certificate: string }): RegistryTokens {
  const privateKey = createPrivateKey(key);
  const head = encode({
    typ: "JWT",
    alg: "RS256",
    x5c: [new X509Certificate(certificate).raw.toString("base64")],
  });
  return {
    sign({ subject, scopes, now, seconds }) {
      const at = Math.floor(now.getTime() / 1_000);
      const body = encode({
        iss: registryIssuer,
        sub: subject,
        aud: registryService,
        iat: at,
        nbf: at,
        exp: at + seconds,
        jti: randomUUID(),
        access: scopes,
      });
      const text = `${head}.${body}`;
      return `${text}.${sign("sha256", Buffer.from(text), privateKey).toString("base64url")}`;
    },
  };
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
