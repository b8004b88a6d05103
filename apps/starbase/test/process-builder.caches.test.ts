import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { readBuildPlan } from "@starform/build-plan/build-plan";
import { until } from "@starform/std/retry";
import { expect, test } from "vitest";
import { cacheHolds } from "../src/adapters/process-builder/cache-holds.ts";
import { boundCaches, type CacheTotal } from "../src/adapters/process-builder/cache-total.ts";
import type { BuildSpec } from "../src/ports/build-service.ts";
import { aBuild, built } from "./a-build.ts";
import { machineAllows, openProcessBuilder, type ProcessBuilderUnderTest } from "./process-builder.ts";

const kilobytes = 1_024;

/** Caches of 100 KB each, the first used longest ago, that may hold 250 KB. */
async function theCaches(folders: readonly string[], more: Partial<CacheTotal> = {}) {
  const cacheDir = await mkdtemp(path.join(tmpdir(), "caches-"));
  const [holds, said] = [cacheHolds(), [] as string[]];
  const fill = async (folder: string, usedMs: number, size = 100 * kilobytes) => {
    await mkdir(path.join(cacheDir, folder), { recursive: true });
    await writeFile(path.join(cacheDir, folder, "file"), Buffer.alloc(size, 1));
    await utimes(path.join(cacheDir, folder), usedMs / 1_000, usedMs / 1_000);
  };
  for (const [at, folder] of folders.entries()) await fill(folder, 1_000_000 * (at + 1));
  const bound = boundCaches({
    cacheDir,
    bytesMax: 250 * kilobytes,
    holds,
    isUsedElsewhere: async () => false,
    closing: new AbortController().signal,
    log: (text) => said.push(text),
    ...more,
  });
  return {
    cacheDir,
    holds,
    said,
    fill,
    bound,
    left: () => folders.filter((folder) => existsSync(path.join(cacheDir, folder))),
    [Symbol.asyncDispose]: () => rm(cacheDir, { recursive: true, force: true }),
  };
}

const folders = ["projects/a/steps/1", "projects/b/mounts/npm", "tools/pnpm-9", "projects/a/mounts/npm"];

test("caches that outgrow their size lose what no build used for longest, and the log names it", async () => {
  await using caches = await theCaches(folders);
  await caches.bound();
  expect(caches.left()).toEqual(["tools/pnpm-9", "projects/a/mounts/npm"]);
  expect(caches.said).toEqual([
    expect.stringMatching(
      /^the build caches held 4\d\d.* KiB, and may hold 250 KiB: removed what no build used for longest, 2\d\d.* KiB in projects\/a\/steps\/1, projects\/b\/mounts\/npm$/,
    ),
  ]);
  await caches.bound();
  expect(caches.said).toHaveLength(1);
});

test("what a build uses stays, however long ago that began", async () => {
  await using caches = await theCaches(folders);
  using _project = caches.holds.hold(path.join(caches.cacheDir, "projects/a"));
  const tool = caches.holds.hold(path.join(caches.cacheDir, "tools/pnpm-9"));
  await caches.bound();
  expect(caches.left()).toEqual(folders.filter((folder) => folder !== "projects/b/mounts/npm"));
  tool[Symbol.dispose]();
  await caches.bound();
  expect(caches.left()).toEqual(["projects/a/steps/1", "projects/a/mounts/npm"]);
});

test("a folder that grew while a build used it is measured again when the build is over", async () => {
  await using caches = await theCaches(folders.slice(2));
  const build = caches.holds.hold(path.join(caches.cacheDir, "projects/a"));
  await caches.bound();
  await caches.fill("projects/a/mounts/npm", 2_000_000, 200 * kilobytes);
  build[Symbol.dispose]();
  await caches.bound();
  expect(caches.left()).toEqual(["projects/a/mounts/npm"]);
});

test("nothing goes while another process builds, or when the platform ends", async () => {
  for (const more of [{ isUsedElsewhere: async () => true }, { closing: AbortSignal.abort() }]) {
    await using caches = await theCaches(folders, more);
    await caches.bound();
    expect(caches.left()).toEqual(folders);
  }
});

/** A build of one command with a folder that lives between builds. */
async function aCachingBuild(
  under: ProcessBuilderUnderTest,
  projectId: string,
  command: string,
): Promise<BuildSpec> {
  const spec = await aBuild(under, [command], { projectId });
  if (spec.outcome.kind !== "plan") throw new Error("it has no plan");
  const { steps, ...plan } = spec.outcome.plan;
  const caching = steps.map((step) => ({ ...step, caches: ["mine"] }));
  return {
    ...spec,
    outcome: {
      ...spec.outcome,
      plan: readBuildPlan({ ...plan, steps: caching, caches: { mine: { directory: "/root/.mine" } } }),
    },
  };
}

test.skipIf(!(await machineAllows()).sandbox)(
  "the builder removes the caches of projects that do not build, and none of one that does",
  async () => {
    const said: string[] = [];
    await using under = await openProcessBuilder({}, true, {}, [], {
      cacheBytesMax: 3_000 * kilobytes,
      log: (text) => said.push(text),
    });
    const [first, second, third] = [randomUUID(), randomUUID(), randomUUID()];
    const mount = (projectId: string) => path.join(under.cacheDir, "projects", projectId, "mounts", "mine");
    const fill = "head -c 2000000 /dev/urandom > ~/.mine/file";
    await built(under.builds, await aCachingBuild(under, first, fill));
    expect((await stat(path.join(mount(first), "file"))).size).toBe(2_000_000);
    // It uses its cache while the others come and go.
    const long = await aCachingBuild(under, second, `${fill}; sleep 600`);
    const handle = await under.builds.submitBuild(long);
    await until("it has filled its cache", () => existsSync(path.join(mount(second), "file")));
    await built(under.builds, await aCachingBuild(under, third, fill));
    await until("the log tells of it", () => said.some((text) => text.includes(first)));
    expect(existsSync(mount(first))).toBe(false);
    expect(existsSync(path.join(mount(second), "file"))).toBe(true);
    await under.builds.cancelBuild(handle);
  },
);
