import { readReference } from "../../core/images/image-reference.ts";
import type { ImageResolver } from "../../ports/image-resolver.ts";
import { engineApi, messageOf } from "./engine-api.ts";
import { resolveFault } from "./resolve-fault.ts";

/** Lets the Docker Engine ask, which knows the machine's mirrors, proxies and registries without TLS. */
export function engineImageResolver(socketPath: string): ImageResolver {
  const call = engineApi(socketPath);
  return {
    async digestOf(image, signIn) {
      const headers = signIn && { "x-registry-auth": registryAuth(readReference(image).host, signIn) };
      const answer = await call("GET", `/distribution/${encodeURIComponent(image)}/json`, headers);
      const digest = (answer.body as { Descriptor?: { digest?: string } } | undefined)?.Descriptor?.digest;
      if (answer.status === 200 && digest) return digest;
      throw resolveFault(image, answer.status, messageOf(answer));
    },
  };
}

/** How the engine is told who signs in. */
export const registryAuth = (
  host: string,
  { username, password }: { username: string; password: string },
): string => Buffer.from(JSON.stringify({ username, password, serveraddress: host })).toString("base64url");
