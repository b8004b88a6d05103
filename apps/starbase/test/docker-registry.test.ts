import { mkdtemp, rm, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { registryIssuer, registryService, registryTokenPath } from "@starform/std/docker-registry-config";
import { selfSignedCertificate } from "@starform/std/self-signed-certificate";
import { uuid } from "@starform/std/ids";
import { freePort, openDockerRegistry, requireRegistryInCi } from "@starform/testkit/docker-registry";
import fastify from "fastify";
import { describe } from "vitest";
import { distributionClient } from "../src/adapters/registry/distribution-client.ts";
import { dockerRegistry } from "../src/adapters/registry/docker-registry.ts";
import { filePushGate } from "../src/adapters/registry/push-gate.ts";
import { registryPasswords } from "../src/adapters/registry/registry-passwords.ts";
import { registryTokens } from "../src/adapters/registry/registry-tokens.ts";
import { grantRegistryAccess } from "../src/core/images/grant-registry-access.ts";
import type { RegistryTokens } from "../src/core/images/ports.ts";
import type { Service } from "../src/core/services/ports.ts";
import { registryRoutes } from "../src/http/registry.ts";
import { registryProviderContract, type RegistryWorld } from "./registry-provider.contract.ts";

/** docker-registry itself, and the real token server over two projects. */
async function openWorld(): Promise<RegistryWorld> {
  await using stack = new AsyncDisposableStack();
  const dir = await mkdtemp(join(tmpdir(), "starform-registry-"));
  stack.defer(() => rm(dir, { recursive: true, force: true }));
  const signing = selfSignedCertificate("Starform registry", new Date(Date.now() - 60_000));
  const passwords = registryPasswords("a session key of the test world, long enough");
  const signer = registryTokens(`${signing.key}${signing.certificate}`);
  // The registry has a clock of its own, which nobody moves.
  const tokens: RegistryTokens = { sign: (input) => signer.sign({ ...input, now: new Date() }) };
  const projects = { first: uuid(), second: uuid() };
  const services: Pick<Service, "id" | "projectId">[] = [];
  let shiftMs = 0;
  const clock = { now: () => new Date(Date.now() + shiftMs) };
  const app = fastify();
  registryRoutes(
    app,
    grantRegistryAccess({
      passwords,
      tokens,
      gate: filePushGate(dir),
      authenticate: () => Promise.reject(new Error("nobody has an API token here")),
      authorize: undefined as never,
      services: {
        ofProject: async (id) => services.filter(({ projectId }) => projectId === id) as Service[],
      },
      clock,
    }),
  );
  const address = await app.listen({ port: 0, host: "127.0.0.1" });
  stack.defer(() => app.close());
  const running = stack.use(
    await openDockerRegistry({
      dir,
      port: await freePort(),
      realm: `${address}${registryTokenPath}`,
      service: registryService,
      issuer: registryIssuer,
      certificate: signing.certificate,
    }),
  );
  const registry = stack.use(
    dockerRegistry({ ...running, dir, program: "docker-registry", tokens, passwords, clock }),
  );
  const opened = stack.move();
  return {
    registry,
    async repository(of = "first") {
      const repository = { projectId: projects[of], serviceId: uuid() };
      services.push({ id: repository.serviceId, projectId: repository.projectId });
      return repository;
    },
    signIn: (credentials) => distributionClient({ origin: `http://${running.host}`, credentials }),
    pathOf: ({ projectId, serviceId }) => `${projectId}/${serviceId}`,
    pass: (ms) => void (shiftMs += ms),
    settlePushes: () => utimes(join(dir, "last-push"), 0, 0),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

describe.runIf(requireRegistryInCi())("with Debian's docker-registry", () => {
  registryProviderContract("docker-registry", openWorld);
});
