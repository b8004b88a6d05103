import { X509Certificate, createPrivateKey, randomUUID, sign } from "node:crypto";
import { registryIssuer, registryService } from "@starform/std/docker-registry-config";
import type { RegistryTokens } from "../../core/images/ports.ts";

/**
 * Tokens of Docker's registry: JWTs signed with RS256, the certificate in the `x5c` header, which docker-registry 2.8
 * compares with the one of its configuration (`rootcertbundle`). `pem` holds the key, then its certificate. It takes a token for a minute longer than it says.
 */
export function registryTokens(pem: string): RegistryTokens {
  const privateKey = createPrivateKey(pem);
  const head = encode({
    typ: "JWT",
    alg: "RS256",
    x5c: [new X509Certificate(certificateIn(pem)).raw.toString("base64")],
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

const certificateIn = (pem: string): string => pem.slice(pem.indexOf("-----BEGIN CERTIFICATE-----"));

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
