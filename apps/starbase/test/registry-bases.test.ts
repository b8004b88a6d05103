import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { readBuildPlan } from "@starform/build-plan/build-plan";
import { BuildFailed } from "@starform/buildkit/build-failed";
import { openDockerEngine, requireEngineInCi } from "@starform/testkit/docker-engine";
import { freePort, openPlainRegistry, requireRegistryInCi } from "@starform/testkit/docker-registry";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildkitBuildService } from "../src/adapters/buildkit/build-service.ts";
import { registryBases } from "../src/adapters/buildkit/registry-bases.ts";
import type { BuildSpec } from "../src/ports/build-service.ts";
import { aBuild, built, imageIn } from "./a-build.ts";
import { builderEngine } from "./builder-engine.ts";
import { engineDocker } from "./engine-docker.ts";

describe.runIf(requireEngineInCi() && requireRegistryInCi())("what a plan is built on", () => {
  const stack = new AsyncDisposableStack();
  const python = execFileSync("/usr/bin/python3", ["--version"])
    .toString()
    .replace(/\D*(\d+\.\d+).*/s, "$1");
  let dir: string;
  let socketPath: string;
  let engine: ReturnType<typeof builderEngine>;
  let host: string;
  beforeAll(async () => {
    dir = await mkdtemp(path.join(tmpdir(), "registry-bases-"));
    stack.defer(() => rm(dir, { recursive: true, force: true }));
    ({ socketPath } = stack.use(await openDockerEngine()));
    engine = builderEngine(socketPath);
    ({ host } = stack.use(await openPlainRegistry(path.join(dir, "registry"))));
    await engine.prepareSmallBase(path.join(dir, "small"));
    await engine.push("base:latest", { repo: `${host}/mirror/builder`, tag: "1" });
    const docker = engineDocker(socketPath);
    for (const name of [`${host}/mirror/builder:1`, "base:latest"]) await docker.remove(name);
    await engine.prepareBases(path.join(dir, "cache/bases"));
  }, 180_000);
  afterAll(() => stack.disposeAsync(), 60_000);

  /** Builds with the registry's image in place of those that the plan names; the app says what it stands on. */
  async function standsOn(image: string, versions: Record<string, string>) {
    await using builds = buildkitBuildService({
      engineSocket: socketPath,
      cacheDir: path.join(dir, "cache"),
      workDir: path.join(dir, "work"),
      bases: { builder: image, runtime: image },
      log: (text) => console.error(text),
    });
    const { status, text } = await built(builds, await aPlanFor(versions));
    if (status.state !== "succeeded") return { status, text };
    return { status, text, on: await engine.printed(imageIn(status).split("@")[1]!, ["cat", "/app/on.txt"]) };
  }
  async function aPlanFor(versions: Record<string, string>): Promise<BuildSpec> {
    const spec = await aBuild({ dir }, []);
    const cmd = `sh -c 'if command -v node; then echo ours > on.txt; else echo theirs > on.txt; fi'`;
    const plan = readBuildPlan({
      steps: [{ name: "build", inputs: [{ image: "railpack-builder" }], commands: [{ cmd }] }],
      deploy: {
        base: { image: "railpack-runtime" },
        inputs: [{ step: "build", include: ["."] }],
        startCommand: "cat on.txt",
      },
    });
    const asked = Object.entries(versions).map(([tool, version]) => [tool, { version, reason: "asked" }]);
    const info = { providers: [], versions: Object.fromEntries(asked), decisions: [], rootDirectory: "." };
    return { ...spec, outcome: { ok: true, kind: "plan", plan, info } };
  }

  test.each([
    [{ ruby: "3.4", node: "24" }, "ruby 3.4"],
    [{ python: "2.6" }, "python 2.6"],
  ])("is a registry's image where our own lack a tool as it is asked for: %j", async (versions, lacking) => {
    const image = `${host}/mirror/builder:1`;
    const { on, text } = await standsOn(image, versions as Record<string, string>);
    expect(on).toBe("theirs\n");
    expect(text).toContain(`built on ${image}, for ${lacking}`);
  });

  test.each([{ node: process.versions.node.split(".")[0]!, pnpm: "10" }, { python }])(
    "is ours where they have what is asked for: %j",
    async (versions) => {
      const { on, text } = await standsOn(`${host}/mirror/builder:1`, versions as Record<string, string>);
      expect(on).toBe("ours\n");
      expect(text).not.toContain(host);
    },
  );

  test("is ours where the registry does not answer, and the log says what that means", async () => {
    const image = `127.0.0.1:${await freePort()}/mirror/builder:1`;
    const { on, text } = await standsOn(image, { python: "2.6" });
    expect(on).toBe("ours\n");
    expect(text).toMatch(
      new RegExp(`the image ${image} cannot be fetched: .*connection refused.*own bases have.*python 2\\.6`),
    );
  });

  test("is nothing where the registry has no such image: that is no outage", async () => {
    const { status } = await standsOn(`${host}/mirror/nothing:1`, { ruby: "3.4" });
    expect(status).toMatchObject({
      state: "failed",
      reason: expect.stringContaining(`${host}/mirror/nothing:1 cannot be fetched`),
    });
  });
});

const away = (image: string) =>
  new BuildFailed("no image", {
    step: `[internal] load metadata for ${image}`,
    cause: new Error("dial tcp: lookup of its registry: no such host"),
  });

test("a registry that did not answer is left alone for five minutes, by the builds of that workspace", async () => {
  let nowMs = 0;
  const [asked, said]: [string[], string[]] = [[], []];
  const bases = registryBases(undefined, () => nowMs);
  const attempt = (workspaceId: string) =>
    bases.tried({
      workspaceId,
      build() {
        asked.push(`${workspaceId} ${nowMs}`);
        return Promise.reject(away("ghcr.io/railwayapp/railpack-builder:mise-1"));
      },
      say: (text) => said.push(text),
      tools: ["ruby 3.4"],
    });
  for (nowMs of [0, 299_999, 300_000]) expect(await attempt("w1")).toBeUndefined();
  expect(await attempt("w2")).toBeUndefined();
  expect(asked).toEqual(["w1 0", "w1 300000", "w2 300000"]);
  expect(said.join("\n")).toContain("did not answer lately");
});

test.each([
  ["a step", new BuildFailed("the step failed", { step: "bundle install", exitCode: 1 })],
  ["an image of the plan's own choice that cannot be reached", away("registry.nowhere.example/app:1")],
])("a build that fails by %s fails", async (_, failed) => {
  const build = () => Promise.reject(failed);
  const attempt = { workspaceId: "w1", build, say: () => undefined, tools: ["ruby 3.4"] };
  await expect(registryBases(undefined).tried(attempt)).rejects.toBe(failed);
});
