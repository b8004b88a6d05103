import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import {
  createWriteStream,
  lstatSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { openDockerEngine, requireEngineInCi, type DockerEngine } from "@starform/testkit/docker-engine";
import { requireRegistryInCi } from "@starform/testkit/docker-registry";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildDockerfile } from "../src/build-dockerfile.ts";
import { openBuildKit, type BuildKit, type Exporter } from "../src/client.ts";
import type { SessionServices } from "../src/session.ts";
import { dockerTransport, tlsTransport } from "../src/transport.ts";
import { aFolder } from "./folder.ts";
import { openRegistry, registryUser, type TestRegistry } from "./registry.ts";
import { openTlsBuilder } from "@starform/testkit/tls-builder";

describe.skipIf(!requireEngineInCi())("what leaves the builder", () => {
  let engine: DockerEngine;
  let client: BuildKit & AsyncDisposable;
  const stack = new AsyncDisposableStack();

  beforeAll(async () => {
    engine = stack.use(await openDockerEngine());
    client = stack.use(await openBuildKit(dockerTransport(engine.socketPath)));
  }, 120_000);
  afterAll(() => stack.disposeAsync(), 60_000);

  const exported = (contextDir: string, exporter: Exporter, output: SessionServices["output"]) =>
    client.solve({
      source: { frontend: "dockerfile.v0", attrs: { cmdline: "dockerfile.v0" } },
      services: {
        sharedKey: "exports",
        dirs: { context: { path: contextDir }, dockerfile: { path: contextDir } },
        ...(output && { output }),
      },
      exporter,
    });

  test("hands a result to a folder on this side: files, links, modes, times, and a large file whole", async () => {
    const contextDir = aTree();
    const dir = join(aFolder(), "result");
    await exported(contextDir, { type: "local", attrs: {} }, { dir });
    expect(readFileSync(join(dir, "deep/er/file.txt"), "utf8")).toBe("in the depth\n");
    expect(readlinkSync(join(dir, "link"))).toBe("deep/er/file.txt");
    expect(lstatSync(join(dir, "run.sh")).mode & 0o777).toBe(0o755);
    expect(readFileSync(join(dir, "large")).equals(readFileSync(join(contextDir, "large")))).toBe(true);
    expect(readFileSync(join(dir, "empty"), "utf8")).toBe("");
    expect(Math.round(lstatSync(join(dir, "run.sh")).mtimeMs)).toBe(
      Math.trunc(lstatSync(join(contextDir, "run.sh")).mtimeMs),
    );

    // Once more over what is there: changed files are replaced, the rest stays right.
    writeFileSync(join(contextDir, "deep/er/file.txt"), "changed\n");
    await exported(contextDir, { type: "local", attrs: {} }, { dir });
    expect(readFileSync(join(dir, "deep/er/file.txt"), "utf8")).toBe("changed\n");
  });

  test("hands a result to a stream as a tar", async () => {
    const contextDir = aTree();
    const file = join(aFolder(), "result.tar");
    await exported(contextDir, { type: "tar", attrs: {} }, { stream: createWriteStream(file) });
    const names = execFileSync("tar", ["-tf", file]).toString().split("\n");
    expect(names).toEqual(expect.arrayContaining(["deep/er/file.txt", "link", "large"]));
    expect(execFileSync("tar", ["-xOf", file, "deep/er/file.txt"]).toString()).toBe("in the depth\n");
  });

  test("fails, and does not hang, when what it is handed to cannot take it", async () => {
    const stream = createWriteStream("/nowhere/at/all.tar");
    await expect(exported(aTree(), { type: "tar", attrs: {} }, { stream })).rejects.toThrow(
      /ENOENT|no such file/,
    );
  });

  test("hands an image to a stream in OCI's layout, where the builder can", async (context) => {
    const file = join(aFolder(), "image.tar");
    if (!(await client.hasExporter("oci"))) return context.skip("this builder does not say so");
    await exported(aTree(), { type: "oci", attrs: {} }, { stream: createWriteStream(file) });
    const index = JSON.parse(execFileSync("tar", ["-xOf", file, "index.json"]).toString()) as {
      manifests: { digest: string }[];
    };
    const [, hex = ""] = index.manifests[0]!.digest.split(":");
    expect(execFileSync("tar", ["-xOf", file, `blobs/sha256/${hex}`]).toString()).toContain("layers");
  });

  describe.skipIf(!requireRegistryInCi())("into a registry", () => {
    let registry: TestRegistry;
    beforeAll(async () => {
      registry = stack.use(await openRegistry());
    });

    const build = (builder: BuildKit, repository: string, password: string = registryUser.password) =>
      buildDockerfile(builder, {
        contextDir: aFolder({ Dockerfile: "FROM scratch\nCOPY . /\n", "app.txt": `for ${repository}` }),
        dockerfilePath: "Dockerfile",
        tags: [`${registry.host}/${repository}:1`],
        push: true,
        registryAuth: { [registry.host]: { ...registryUser, password } },
      });

    test("pushes what it built, by the builder or by its engine, and says under which digest", async () => {
      const { digest } = await build(client, "p/app");
      const manifest = await registry.get(`/v2/p/app/manifests/${digest}`);
      const [layer] = (JSON.parse(String(manifest)) as { layers: { digest: string }[] }).layers;
      const bytes = await registry.get(`/v2/p/app/blobs/${layer!.digest}`);
      expect(gunzipSync(bytes!).toString()).toContain("for p/app");
      expect(await registry.get("/v2/p/app/manifests/1")).toEqual(manifest);
    });

    test("does not push with a wrong password, and says so without it", async () => {
      const wrong = `wrong-${randomUUID()}`;
      const error = await build(client, "p/denied", wrong).catch((cause: unknown) => cause as Error);
      expect(String(error)).toMatch(/unauthorized|401|authoriz|denied|no basic auth/i);
      expect(String(error)).not.toContain(wrong);
      expect(await registry.get("/v2/p/denied/manifests/1")).toBeUndefined();
    });

    test("pushes over mutual TLS where the builder can, and says what is missing where it cannot", async () => {
      await using machine = await openTlsBuilder(engine.socketPath);
      await using remote = await openBuildKit(tlsTransport(machine.endpoint));
      const outcome = await build(remote, "p/remote").then(
        async ({ digest }) => (await registry.get(`/v2/p/remote/manifests/${digest}`)) !== undefined,
        (error: Error) => error.message.includes('it has no "image" exporter'),
      );
      expect(outcome).toBe(true);
      expect((await registry.get("/v2/p/remote/manifests/1")) !== undefined).toBe(
        await client.hasExporter("image"),
      );
    });
  });
});

/** What a result may hold, built from scratch. */
function aTree(): string {
  const dir = aFolder({
    Dockerfile: "FROM scratch\nCOPY . /\n",
    "deep/er/file.txt": "in the depth\n",
    "run.sh": "#!/bin/sh\n",
    empty: "",
    large: randomUUID().repeat(100_000),
  });
  execFileSync("chmod", ["755", join(dir, "run.sh")]);
  symlinkSync("deep/er/file.txt", join(dir, "link"));
  return dir;
}
