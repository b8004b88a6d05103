import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { ensureBaseImages } from "@starform/buildkit/base-images";
import { buildDockerfile } from "@starform/buildkit/build-dockerfile";
import { openBuildKit } from "@starform/buildkit/client";
import { dockerTransport } from "@starform/buildkit/transport";
import { openDockerEngine, requireEngineInCi } from "@starform/testkit/docker-engine";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildkitBuildService } from "../src/adapters/buildkit/build-service.ts";
import { railpackPlanner } from "../src/adapters/railpack/railpack-planner.ts";
import type { BuildService } from "../src/ports/build-service.ts";
import { aBuild, built } from "./a-build.ts";
import { builderEngine } from "./builder-engine.ts";

const repository = fileURLToPath(new URL("../../..", import.meta.url));
const frontend = "starform.local/test/plan-frontend:1";

/** Railpack's program and image cannot be had here: both are stood in for, and the way between them is real. */
describe.skipIf(!requireEngineInCi())("a plan for a frontend image", { timeout: 240_000 }, () => {
  let stack: AsyncDisposableStack;
  let dir: string;
  let socketPath: string;
  let base: string;
  let builds: BuildService;
  let engine: ReturnType<typeof builderEngine>;

  beforeAll(async () => {
    stack = new AsyncDisposableStack();
    dir = await mkdtemp(path.join(tmpdir(), "railpack-frontend-"));
    stack.defer(() => rm(dir, { recursive: true, force: true }));
    ({ socketPath } = stack.use(await openDockerEngine()));
    engine = builderEngine(socketPath);
    const cacheDir = path.join(dir, "bases");
    const nodeVersion = process.versions.node;
    const options = { cacheDir, nodeVersion, form: "host", log: () => undefined } as const;
    base = (await ensureBaseImages(socketPath, options)).builder;
    await buildFrontend();
    builds = stack.use(
      buildkitBuildService({
        engineSocket: socketPath,
        cacheDir: path.join(dir, "cache"),
        workDir: path.join(dir, "work"),
        log: (text) => console.error(text),
      }),
    );
  }, 240_000);
  afterAll(() => stack?.disposeAsync());

  /** An image of this repository's client, which speaks the protocol from the other side. */
  async function buildFrontend(): Promise<void> {
    const contextDir = path.join(dir, "frontend");
    for (const part of [
      "packages/buildkit/src",
      "packages/buildkit/test/plan-frontend",
      "node_modules/protobufjs",
      "node_modules/@protobufjs",
      "node_modules/long",
    ])
      await cp(path.join(repository, part), path.join(contextDir, part), {
        recursive: true,
        dereference: true,
      }).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOENT") throw error;
      });
    await writeFile(path.join(contextDir, "package.json"), '{"type":"module"}');
    await writeFile(
      path.join(contextDir, "Dockerfile"),
      `FROM ${base}\nCOPY . /starform\nENTRYPOINT ["node", "--disable-warning=ExperimentalWarning", "/starform/packages/buildkit/test/plan-frontend/frontend.ts"]\n`,
    );
    await using client = await openBuildKit(dockerTransport(socketPath));
    await buildDockerfile(client, { contextDir, dockerfilePath: "Dockerfile", tags: [frontend] });
  }

  test("is planned by the program and run by the image, with the source, the caches of its owner and its secrets", async () => {
    const program = fileURLToPath(new URL("fixtures/railpack/railpack", import.meta.url));
    const searchPath = `${path.dirname(process.execPath)}:/usr/bin:/bin`;
    const spec = await aBuild({ dir }, [], {
      files: {
        "commands.txt": "cat words.txt > made.txt\nwc -c < /run/secrets/TOKEN > length.txt",
        "words.txt": "the source",
      },
      variables: { TOKEN: "hush-and-tell", RAILPACK_TEST_BASE: base },
      secretNames: ["TOKEN"],
    });
    const outcome = await railpackPlanner({ program, searchPath, frontend })(spec.contextDir, {
      variables: spec.variables,
    });
    if (!outcome.ok) throw new Error(outcome.error.message);
    const { status, text, log } = await built(builds, { ...spec, outcome });
    expect({ ...status, text }).toMatchObject({ state: "succeeded" });
    if (status.state !== "succeeded") return;
    const print = (file: string) => engine.printed(status.imageDigest, ["cat", `/app/${file}`]);
    expect(await print("made.txt")).toBe("the source");
    expect((await print("length.txt")).trim()).toBe("13");
    const told = JSON.parse(await print("told.json")) as {
      options: Record<string, string>;
      secrets: string[];
    };
    expect(told.secrets).toEqual(["RAILPACK_TEST_BASE", "TOKEN"]);
    expect(told.options).toMatchObject({
      filename: "railpack-plan.json",
      "build-arg:cache-key": `${spec.workspaceId}/${spec.projectId}`,
      "build-arg:secrets-hash": expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(JSON.stringify({ told, text })).not.toContain("hush-and-tell");
    await using client = await openBuildKit(dockerTransport(socketPath));
    const { llb } = await client.capabilities();
    expect(text.includes("too old to give steps secret variables")).toBe(!llb.has("exec.secretenv"));
    expect(log.flatMap(({ ended }) => ended ?? []).length).toBeGreaterThan(1);
  });

  test("fails with the step where the plan is at fault, and says where its frontend cannot be had", async () => {
    const program = fileURLToPath(new URL("fixtures/railpack/railpack", import.meta.url));
    const searchPath = `${path.dirname(process.execPath)}:/usr/bin:/bin`;
    const spec = await aBuild({ dir }, [], {
      files: { "commands.txt": "echo out of flour; exit 7" },
      variables: { RAILPACK_TEST_BASE: base },
    });
    const planWith = async (image: string) => {
      const outcome = await railpackPlanner({ program, searchPath, frontend: image })(spec.contextDir, {
        variables: spec.variables,
      });
      if (!outcome.ok) throw new Error(outcome.error.message);
      return outcome;
    };
    expect((await built(builds, { ...spec, outcome: await planWith(frontend) })).status).toMatchObject({
      state: "failed",
      reason: expect.stringMatching(/exit 7.* 7\b[\s\S]*out of flour/),
    });
    const none = await built(builds, {
      ...spec,
      buildId: crypto.randomUUID(),
      outcome: await planWith("127.0.0.1:9/none:1"),
    });
    expect(none.status).toMatchObject({
      state: "failed",
      reason: expect.stringContaining("127.0.0.1:9/none"),
    });
  });
});
