import { randomUUID } from "node:crypto";
import { request } from "node:http";
import { openDockerEngine, requireEngineInCi, type DockerEngine } from "@starform/testkit/docker-engine";
import { requireRegistryInCi } from "@starform/testkit/docker-registry";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildDockerfile } from "../src/build-dockerfile.ts";
import { openBuildKit, type BuildKit } from "../src/client.ts";
import type { RegistryAuth } from "../src/registry-sign-in.ts";
import { dockerTransport } from "../src/transport.ts";
import { aFolder } from "./folder.ts";
import { registryUser } from "./registry.ts";
import { openTokenRegistry, type TokenRegistry } from "./token-registry.ts";

describe.runIf(requireEngineInCi() && requireRegistryInCi())("images behind a token server", () => {
  let engine: DockerEngine;
  let client: BuildKit & AsyncDisposable;
  let registry: TokenRegistry;
  const stack = new AsyncDisposableStack();

  beforeAll(async () => {
    engine = stack.use(await openDockerEngine());
    registry = stack.use(await openTokenRegistry());
    client = stack.use(await openBuildKit(dockerTransport(engine.socketPath)));
  }, 120_000);
  afterAll(() => stack.disposeAsync(), 60_000);

  const build = (dockerfile: string, registryAuth?: RegistryAuth, push?: string) =>
    buildDockerfile(client, {
      contextDir: aFolder({ Dockerfile: dockerfile, "app.txt": randomUUID() }),
      dockerfilePath: "Dockerfile",
      tags: [push ?? `test/${randomUUID()}:1`],
      ...(push && { push: true, insecureRegistry: true }),
      ...(registryAuth && { registryAuth }),
    });
  const signIn = (password: string = registryUser.password): RegistryAuth => ({
    [registry.host]: { ...registryUser, password },
  });

  /** An image that only the registry has. */
  async function aPrivateImage(): Promise<string> {
    const name = `${registry.host}/p/${randomUUID()}:1`;
    await build("FROM scratch\nCOPY . /\n", signIn(), name);
    await forget(engine.socketPath, name);
    return name;
  }

  test("are pulled with tokens that this side asked for; the password stays here", async () => {
    const image = await aPrivateImage();
    registry.asked.length = 0;
    await build(`FROM ${image}\nCOPY . /more/\n`, signIn());
    const signedIn = registry.asked.filter(({ user }) => user !== "");
    expect(signedIn).not.toEqual([]);
    expect(signedIn.filter(({ by }) => by !== "starform-buildkit")).toEqual([]);
    const [, path = ""] = /\/(p\/[^:]+)/.exec(image) ?? [];
    expect(signedIn.flatMap(({ scopes }) => scopes)).toContain(`repository:${path}:pull`);
  });

  test("are not pulled with what another build was let in with", async () => {
    const image = await aPrivateImage();
    await build(`FROM ${image}\nCOPY . /more/\n`, signIn());
    await forget(engine.socketPath, image);
    await expect(build(`FROM ${image}\nCOPY . /again/\n`)).rejects.toThrow(/authoriz|denied|401|403/i);
  });

  test("are not pulled beyond the repositories that a sign-in is for, though it opens more", async () => {
    const image = await aPrivateImage();
    const limited = (repositoriesUnder: string): RegistryAuth => ({
      [registry.host]: { ...registryUser, repositoriesUnder },
    });
    await expect(build(`FROM ${image}\n`, limited("another/"))).rejects.toThrow(
      /its own project only|authoriz|denied|401|403/i,
    );
    await build(`FROM ${image}\nCOPY . /more/\n`, limited("p/"));
  });

  test("are not pulled with a wrong password, which is not said", async () => {
    const image = await aPrivateImage();
    const wrong = `wrong-${randomUUID()}`;
    const error = await build(`FROM ${image}\n`, signIn(wrong)).catch((cause: unknown) => cause as Error);
    expect(String(error)).toMatch(/refuses this sign-in|authoriz|denied|401|403/i);
    expect(String(error)).not.toContain(wrong);
  });
});

/** Takes a name away from the engine; one that it never had is no error. */
function forget(socketPath: string, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const path = `/images/${encodeURIComponent(name)}?force=1`;
    const asked = request({ socketPath, method: "DELETE", path }, (response) => {
      const isGone = response.statusCode === 200 || response.statusCode === 404;
      response.resume().on("end", () => (isGone ? resolve() : reject(new Error(`${response.statusCode}`))));
    });
    asked.on("error", reject).end();
  });
}
