import { createHash } from "node:crypto";
import { wordsOf } from "@starform/std/fault";
import { readReference } from "../../core/images/image-reference.ts";
import type { ImageResolver } from "../../ports/image-resolver.ts";
import { distributionClient } from "./distribution-client.ts";
import { resolveFault } from "./resolve-fault.ts";

const manifestTypes = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(",");

/**
 * Asks the registry itself, over TLS, where no engine is at hand. Customers name the hosts: those that do not lie in the
 * public network are refused, except `ownHost`, which is asked in plain HTTP on the loopback.
 */
export function registryImageResolver({ ownHost }: { ownHost?: string | undefined } = {}): ImageResolver {
  return {
    async digestOf(image, signIn) {
      const { host, path, tag = "latest" } = readReference(image);
      const isOwn = host === ownHost;
      const client = distributionClient({
        origin: isOwn ? `http://${host}` : `https://${host === "docker.io" ? "registry-1.docker.io" : host}`,
        credentials: signIn,
        isPublicOnly: !isOwn,
      });
      const ask = (method: "HEAD" | "GET") =>
        client
          .call(method, `/v2/${path}/manifests/${tag}`, { headers: { accept: manifestTypes } })
          .catch((error: unknown) => {
            throw resolveFault(image, 0, wordsOf(error));
          });
      const seen = await ask("HEAD");
      if (seen.status !== 200) throw resolveFault(image, seen.status, seen.body);
      const told = seen.headers["docker-content-digest"];
      if (typeof told === "string") return told;
      const { body } = await ask("GET");
      return `sha256:${createHash("sha256").update(body).digest("hex")}`;
    },
  };
}
