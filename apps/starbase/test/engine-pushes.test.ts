import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { openDockerEngine, requireEngineInCi } from "@starform/testkit/docker-engine";
import { requireRegistryInCi } from "@starform/testkit/docker-registry";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildkitBuildService, type BuildKitServiceOptions } from "../src/adapters/buildkit/build-service.ts";
import { withEngineCopies } from "../src/adapters/registry/engine-copies.ts";
import type { BuildService, BuildSpec } from "../src/ports/build-service.ts";
import type { RegistryProvider } from "../src/ports/registry-provider.ts";
import { aBuild, built } from "./a-build.ts";
import { builderEngine } from "./builder-engine.ts";
import { engineDocker } from "./engine-docker.ts";
import { openRegistryForBuilds } from "./registry-for-builds.ts";

describe.runIf(requireEngineInCi() && requireRegistryInCi())("an engine of our own before a registry", () => {
  const stack = new AsyncDisposableStack();
  let dir: string;
  let own: Omit<BuildKitServiceOptions, "log">;
  let builds: BuildService;
  let registry: RegistryProvider;
  let docker: ReturnType<typeof engineDocker>;
  beforeAll(async () => {
    dir = await mkdtemp(path.join(tmpdir(), "engine-pushes-"));
    stack.defer(() => rm(dir, { recursive: true, force: true }));
    const { socketPath } = stack.use(await openDockerEngine());
    docker = engineDocker(socketPath);
    ({ registry } = stack.use(await openRegistryForBuilds(path.join(dir, "registry"))));
    registry = withEngineCopies(registry, socketPath);
    const cacheDir = path.join(dir, "cache");
    await builderEngine(socketPath).prepareBases(path.join(cacheDir, "bases"));
    own = { engineSocket: socketPath, registry, cacheDir, workDir: path.join(dir, "work") };
    builds = stack.use(buildkitBuildService({ ...own, log: (text) => console.error(text) }));
  }, 180_000);
  afterAll(() => stack.disposeAsync(), 60_000);

  /** Of a few bytes, so that they are what is pushed. */
  async function aSmallBuild(more: Partial<BuildSpec> = {}): Promise<BuildSpec> {
    const files = { Dockerfile: "FROM scratch\nCOPY app.txt /\n", "app.txt": randomUUID() };
    const spec = await aBuild({ dir }, [], { files, ...more });
    return {
      ...spec,
      outcome: { ok: true, kind: "dockerfile", path: "Dockerfile", info: spec.outcome.info },
    };
  }
  const signIn = (projectId: string) => registry.credentials(projectId, "pull", 600);

  test("pushes what it built into the service's repository, and names it by its digest there", async () => {
    const spec = await aSmallBuild();
    const { status, text } = await built(builds, spec);
    const [stored, ...more] = await registry.images(spec);
    expect([stored?.tags, more]).toEqual([[spec.buildId], []]);
    expect(status).toMatchObject({
      state: "succeeded",
      image: `${registry.host}/${spec.projectId}/${spec.serviceId}@${stored!.digest}`,
      imageDigest: stored!.digest,
      sizeBytes: stored!.sizeBytes,
    });
    const { password } = await registry.credentials(spec.projectId, "push", 600);
    expect(text).not.toContain(password.slice(0, 20));
  });

  test("has it to run it, and gets it again by a sign-in of its project and of no other", async () => {
    const spec = await aSmallBuild();
    const { status } = await built(builds, spec);
    if (status.state !== "succeeded") throw new Error(JSON.stringify(status));
    expect(await docker.has(status.image)).toBe(true);
    await docker.remove(`${status.image.split("@")[0]}:${spec.buildId}`);
    await docker.remove(status.image);
    expect(await docker.has(status.image)).toBe(false);
    const stranger = await docker.pull(status.image, await signIn(randomUUID()));
    expect(stranger).toMatch(/denied|not found|unauthorized/i);
    expect(await docker.pull(status.image, await signIn(spec.projectId))).toBeUndefined();
    expect(await docker.has(status.image)).toBe(true);
  });

  test("is asked once for equal builds, and anew for one whose image is gone from the registry", async () => {
    const spec = await aSmallBuild();
    const first = await built(builds, spec);
    if (first.status.state !== "succeeded") throw new Error(JSON.stringify(first.status));
    await builds.submitBuild(spec);
    expect(await registry.images(spec)).toHaveLength(1);
    await registry.remove(spec, first.status.imageDigest);
    const again = { ...spec, buildId: randomUUID() };
    expect((await built(builds, again)).status).toMatchObject({ state: "succeeded" });
    expect((await registry.images(spec)).map(({ tags }) => tags)).toEqual([[again.buildId]]);
  });

  test("gives back its copy with the image, unless something is made of it", async () => {
    const spec = await aSmallBuild();
    const { status } = await built(builds, spec);
    if (status.state !== "succeeded") throw new Error(JSON.stringify(status));
    const made = await docker.call("POST", "/containers/create", { Image: status.image, Cmd: ["/app.txt"] });
    const { Id } = JSON.parse(made.text) as { Id: string };
    await expect(registry.remove(spec, status.imageDigest)).rejects.toMatchObject({ code: "conflict" });
    expect(await registry.images(spec)).toHaveLength(1);
    await docker.call("DELETE", `/containers/${Id}`);
    await registry.remove(spec, status.imageDigest);
    expect(await registry.images(spec)).toEqual([]);
    expect(await docker.has(status.image)).toBe(false);
    expect(await docker.has(`${status.image.split("@")[0]}:${spec.buildId}`)).toBe(false);
  });

  test("cannot push with the sign-in of another project, and says so without it", async () => {
    const spec = await aSmallBuild();
    const stranger = await registry.credentials(randomUUID(), "push", 600);
    const credentials = async () => stranger;
    const options = { ...own, registry: { ...registry, credentials }, workDir: path.join(dir, "stranger") };
    await using strangers = buildkitBuildService({ ...options, log: () => undefined });
    const { status, text } = await built(strangers, spec);
    expect(status).toMatchObject({
      state: "failed",
      reason: expect.stringMatching(/could not push.*denied/),
    });
    expect(JSON.stringify([status, text])).not.toContain(stranger.password);
    expect(await registry.images(spec)).toEqual([]);
  });
});
