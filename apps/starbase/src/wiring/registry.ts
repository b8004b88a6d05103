import { join } from "node:path";
import type { Clock } from "@starform/std/clock";
import type { FastifyInstance } from "fastify";
import { digitalOceanApi } from "../adapters/digitalocean/api.ts";
import { digitalOceanRegistry } from "../adapters/digitalocean/registry-provider.ts";
import { engineImageResolver } from "../adapters/registry/engine-image-resolver.ts";
import { registryImageResolver } from "../adapters/registry/registry-image-resolver.ts";
import { dockerRegistry } from "../adapters/registry/docker-registry.ts";
import { filePushGate } from "../adapters/registry/push-gate.ts";
import { registryPasswords } from "../adapters/registry/registry-passwords.ts";
import { registryTokens } from "../adapters/registry/registry-tokens.ts";
import type { Config } from "../config.ts";
import { grantRegistryAccess } from "../core/images/grant-registry-access.ts";
import type { Authenticate } from "../core/identity/authenticate.ts";
import { registryRoutes } from "../http/registry.ts";
import type { ImageResolver } from "../ports/image-resolver.ts";
import type { RegistryProvider } from "../ports/registry-provider.ts";
import type { Core } from "./core.ts";

/** The registry of this installation; undefined where images stay in the runtime's own store. */
export function openRegistry(
  { registry, sessionKey }: Config,
  { clock }: { clock: Clock },
  stack: AsyncDisposableStack,
): RegistryProvider | undefined {
  if (!registry) return undefined;
  if (registry.kind === "digitalocean")
    return digitalOceanRegistry({ api: digitalOceanApi(registry), name: registry.name, clock });
  return stack.use(
    dockerRegistry({
      ...registry,
      storageDir: join(registry.dir, "storage"),
      configFile: join(registry.dir, "config.yml"),
      tokens: registryTokens(registry.pem),
      passwords: registryPasswords(sessionKey),
      clock,
    }),
  );
}

/** Who asks registries what a name stands for: the engine that will pull it, where there is one. */
export const resolverOf = (
  { runtime, dockerSocket }: Config,
  registry: RegistryProvider | undefined,
): ImageResolver =>
  runtime === "docker" && dockerSocket
    ? engineImageResolver(dockerSocket)
    : registryImageResolver({ ownHost: registry?.credentialScope === "project" ? registry.host : undefined });

/** Registers the token server of the built-in registry, where there is one. */
export function serveRegistry(
  app: FastifyInstance,
  { registry, sessionKey }: Config,
  core: Core & { authenticate: Authenticate },
): void {
  if (registry?.kind !== "docker-registry") return;
  const grant = grantRegistryAccess({
    ...core,
    passwords: registryPasswords(sessionKey),
    tokens: registryTokens(registry.pem),
    gate: filePushGate(registry.dir),
    services: core.stores.services,
  });
  registryRoutes(app, grant);
}
