import { symlinkSync } from "node:fs";
import path from "node:path";
import { openDockerEngine, requireEngineInCi, type DockerEngine } from "@starform/testkit/docker-engine";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildDockerfile } from "../src/build-dockerfile.ts";
import { buildPlan } from "../src/build-plan.ts";
import { openBuildKit, type BuildKit } from "../src/client.ts";
import { hasImageFile, readImageFile } from "../src/read-image-file.ts";
import { dockerTransport } from "../src/transport.ts";
import { engineImages } from "./engine-images.ts";
import { aFolder } from "./folder.ts";

describe.skipIf(!requireEngineInCi())("an image of a Docker Engine", () => {
  let engine: DockerEngine;
  let client: BuildKit & AsyncDisposable;
  const stack = new AsyncDisposableStack();
  const labels = { "starform.io/plan-digest": "sha256:aa" };
  const labelsOf = async (image: string) =>
    (await engineImages(engine.socketPath).config(image)) as { Labels?: Record<string, string> };

  beforeAll(async () => {
    engine = stack.use(await openDockerEngine());
    client = stack.use(await openBuildKit(dockerTransport(engine.socketPath)));
  }, 120_000);
  afterAll(() => stack.disposeAsync(), 60_000);

  test("gives a file by its path, and none where it has none", async () => {
    const contextDir = aFolder({
      Dockerfile: "FROM scratch\nCOPY status /var/lib/dpkg/status\nCOPY bin /bin\n",
      status: "Package: a\n",
      // More than the engine sends at once.
      "bin/large": "x".repeat(17 * 2 ** 20),
    });
    symlinkSync("large", path.join(contextDir, "bin/sh"));
    symlinkSync("none", path.join(contextDir, "bin/dangling"));
    const reference = "starform.local/p/files:1";
    const { imageId } = await buildDockerfile(client, {
      contextDir,
      dockerfilePath: "Dockerfile",
      tags: [reference],
      labels,
    });
    const read = async (file: string) => {
      const bytes = await readImageFile(client, { reference, path: file }, 1_000);
      return bytes && Buffer.from(bytes).toString();
    };
    const has = (file: string) => hasImageFile(client, { reference, path: file });
    expect(await read("/var/lib/dpkg/status")).toBe("Package: a\n");
    expect(await read("/etc/none")).toBeUndefined();
    expect(await read("/bin")).toBeUndefined();
    await expect(read("/bin/sh")).rejects.toThrow("has 17825792 bytes");
    const paths = ["/bin/sh", "/bin/large", "/bin/dangling", "/bin", "/etc/none"];
    expect(await Promise.all(paths.map(has))).toEqual([true, true, false, false, false]);
    expect(await labelsOf(imageId)).toMatchObject({ Labels: labels });
    const none = { reference: "starform.local/p/none:1", path: "/a" };
    await expect(readImageFile(client, none, 1_000)).rejects.toThrow("none");
  });

  test("that was made of a plan has the labels it was given", async () => {
    const contextDir = aFolder({ "app.txt": "app" });
    const plan = {
      deploy: {
        base: { image: "starform.local/p/files:1" },
        inputs: [{ local: true, include: ["."] }],
        startCommand: "true",
      },
    } as const;
    const built = await buildPlan(client, {
      contextDir,
      plan: plan as never,
      bases: { builder: "starform.local/p/files:1", runtime: "starform.local/p/files:1" },
      tags: ["starform.local/p/plan:1"],
      cacheNamespace: "w/p",
      labels,
    });
    expect(await labelsOf(built.imageId)).toMatchObject({ Labels: labels });
  });
});
