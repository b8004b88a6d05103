import { mkdir } from "node:fs/promises";
import path from "node:path";
import { registryIssuer, registryService, registryTokenPath } from "@starform/std/docker-registry-config";
import { selfSignedCertificate } from "@starform/std/self-signed-certificate";
import { freePort, openDockerRegistry } from "@starform/testkit/docker-registry";
import fastify from "fastify";
import { dockerRegistry } from "../src/adapters/registry/docker-registry.ts";
import { filePushGate } from "../src/adapters/registry/push-gate.ts";
import { registryPasswords } from "../src/adapters/registry/registry-passwords.ts";
import { registryTokens } from "../src/adapters/registry/registry-tokens.ts";
import { grantRegistryAccess } from "../src/core/images/grant-registry-access.ts";
import type { Service } from "../src/core/services/ports.ts";
import { registryRoutes } from "../src/http/registry.ts";
import type { RegistryProvider } from "../src/ports/registry-provider.ts";

/** What another process needs to be the same registry's user. */
export type RegistryPlace = {
  readonly host: string;
  readonly dir: string;
  readonly pem: string;
  readonly secret: string;
};

const clock = { now: () => new Date() };

/** The adapter over a registry that runs already. */
export const registryAt = ({ host, dir, pem, secret }: RegistryPlace): RegistryProvider & AsyncDisposable =>
  dockerRegistry({
    host,
    dir,
    storageDir: path.join(dir, "storage"),
    configFile: path.join(dir, "config.yml"),
    program: "docker-registry",
    tokens: registryTokens(pem),
    passwords: registryPasswords(secret),
    clock,
  });

/** Debian's docker-registry with the real token server; every service exists that a build is of. */
export async function openRegistryForBuilds(
  dir: string,
): Promise<{ readonly place: RegistryPlace; readonly registry: RegistryProvider } & AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  await mkdir(dir, { recursive: true });
  const signing = selfSignedCertificate("Starform registry", new Date(Date.now() - 60_000));
  const [pem, secret] = [`${signing.key}${signing.certificate}`, "a key of the test world, long enough"];
  const services = new Set<string>();
  const app = fastify();
  registryRoutes(
    app,
    grantRegistryAccess({
      passwords: registryPasswords(secret),
      tokens: registryTokens(pem),
      gate: filePushGate(dir),
      authenticate: () => Promise.reject(new Error("nobody has an API token here")),
      authorize: undefined as never,
      services: {
        ofProject: async (projectId) => [...services].map((id) => ({ id, projectId }) as Service),
      },
      clock,
    }),
  );
  stack.defer(() => app.close());
  const tokenServer = await app.listen({ host: "127.0.0.1", port: 0 });
  const running = stack.use(
    await openDockerRegistry({
      dir,
      port: await freePort(),
      realm: `${tokenServer}${registryTokenPath}`,
      service: registryService,
      issuer: registryIssuer,
      certificate: signing.certificate,
    }),
  );
  const place = { host: running.host, dir, pem, secret };
  const registry = stack.use(registryAt(place));
  const opened = stack.move();
  return {
    place,
    registry: {
      ...registry,
      ensureRepository(repository) {
        services.add(repository.serviceId);
        return registry.ensureRepository(repository);
      },
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
