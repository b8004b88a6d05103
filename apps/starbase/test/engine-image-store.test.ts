import { uuid } from "@starform/std/ids";
import { openDockerEngine, requireEngineInCi } from "@starform/testkit/docker-engine";
import { afterAll, describe, expect, test } from "vitest";
import { engineImageStore } from "../src/adapters/registry/engine-image-store.ts";
import type { ImageRepository } from "../src/ports/registry-provider.ts";
import { engineDocker } from "./engine-docker.ts";
import { imageStoreContract } from "./image-store.contract.ts";

const nameOf = ({ projectId, serviceId }: ImageRepository) => `starform.local/${projectId}/${serviceId}`;

/** One for the whole file: starting it is the slow part. */
let opened: ReturnType<typeof openDockerEngine> | undefined;
afterAll(async () => (await opened)?.[Symbol.asyncDispose]());

async function openEngine() {
  const engine = await (opened ??= openDockerEngine());
  const docker = engineDocker(engine.socketPath);
  const made = new Map<string, string>();
  return {
    docker,
    store: engineImageStore(engine.socketPath),
    async keep(repository: ImageRepository, content: string, buildId = uuid()): Promise<string> {
      const name = `${nameOf(repository)}:${buildId}`;
      // The engine writes the time into what it imports, so that equal content is imported once.
      const known = made.get(content);
      if (known && (await docker.has(known))) await docker.tag(known, name);
      else made.set(content, await docker.make(name, content));
      return made.get(content)!;
    },
    isThere: (_: ImageRepository, digest: string) => docker.has(digest),
    async [Symbol.asyncDispose]() {},
  };
}

describe.runIf(requireEngineInCi())("with a real engine", () => {
  imageStoreContract("the engine's own store", openEngine);

  test("refuses to remove what a container is made of, and changes nothing", async () => {
    const engine = await openEngine();
    const repository = { projectId: uuid(), serviceId: uuid() };
    const digest = await engine.keep(repository, "used");
    await engine.docker.tag(digest, `${nameOf(repository)}:${uuid()}`);
    const made = await engine.docker.call("POST", "/containers/create", { Image: digest, Cmd: ["/hello"] });
    expect(made.status).toBe(201);
    await expect(engine.store.remove(repository, digest)).rejects.toMatchObject({ code: "conflict" });
    expect((await engine.store.images(repository))[0]!.tags).toHaveLength(2);
    const { Id } = JSON.parse(made.text) as { Id: string };
    await engine.docker.call("DELETE", `/containers/${Id}`);
    await engine.store.remove(repository, digest);
    expect(await engine.store.images(repository)).toEqual([]);
  });

  test("shows nothing of what others keep in the engine", async () => {
    const engine = await openEngine();
    const ids = async () => (await engine.store.repositories()).map(({ serviceId }) => serviceId).toSorted();
    const before = await ids();
    await engine.docker.make("somebody/else:latest", "not ours");
    await engine.docker.make("starform.local/not-an-id/web:latest", "not ours either");
    expect(await ids()).toEqual(before);
  });
});
