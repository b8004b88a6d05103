import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ejectDockerfile, ejectedIgnores } from "@starform/build-plan/eject-dockerfile";
import { planSource } from "@starform/build-plan/plan-source";
import type { BaseImages } from "@starform/buildkit/base-images";
import { buildPlan } from "@starform/buildkit/build-plan";
import { openBuildKit, type BuildKit } from "@starform/buildkit/client";
import { define, local } from "@starform/buildkit/llb";
import { dockerTransport } from "@starform/buildkit/transport";

const run = promisify(execFile);
const examples = fileURLToPath(new URL("../../examples", import.meta.url));

export async function elapsedMs(work: () => Promise<unknown>): Promise<number> {
  const before = performance.now();
  await work();
  return performance.now() - before;
}

/** How long each example's plan takes, of those that have one. */
export async function planningTimes(): Promise<number[]> {
  const times: number[] = [];
  for (const name of readdirSync(examples, { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
    const dir = join(examples, name.name);
    await planSource(dir);
    times.push(await elapsedMs(() => planSource(dir)));
  }
  return times;
}

/** A tree of so many files in folders of a hundred. */
export function largeTree(dir: string, count: number): void {
  for (let at = 0; at < count; at += 1) {
    const folder = join(dir, `folder-${Math.floor(at / 100)}`);
    if (at % 100 === 0) mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `file-${at}.js`), `export const value = ${at};\n`.repeat(1 + (at % 40)));
  }
}

/** The whole tree to a builder that has none of it. */
export const sendTree = (client: BuildKit, path: string): Promise<unknown> =>
  client.solve({
    source: {
      run: async (bridge) => ({ ref: await bridge.solve(define(local("context", bridge.session))) }),
    },
    services: { sharedKey: randomUUID(), dirs: { context: { path } } },
  });

/** What the tree is measured against: the same tree by tar to another folder of the same disk, where a builder has it too. */
export const copyByTar = (from: string, to: string): Promise<unknown> =>
  run("sh", ["-c", 'mkdir "$1" && tar -C "$0" -cf - . | tar -C "$1" -xf -', from, to]);

/** How long `docker build` says that it sent a folder which it never sent before; the engine's side of both is the same. */
export async function dockerSendMs(engineSocket: string, dockerfile: string, path: string): Promise<number> {
  writeFileSync(dockerfile, "FROM scratch\nCOPY . /\n");
  const { stderr } = await run(
    "/usr/bin/docker",
    ["build", "--progress=plain", `--file=${dockerfile}`, path],
    {
      env: { ...process.env, DOCKER_BUILDKIT: "1", DOCKER_HOST: `unix://${engineSocket}` },
    },
  );
  const said = [...stderr.matchAll(/transferring context: .* ([\d.]+)s done/g)].at(-1)?.[1];
  if (said === undefined) throw new Error(`docker build does not say how long it sent:\n${stderr}`);
  return Number(said) * 1_000;
}

const syncScript = fileURLToPath(new URL("../../packages/buildkit/test/sync-tree.ts", import.meta.url));

/** A tree of one file with so many bytes, sent by a process of its own: what that takes at most beyond what it took before. */
export async function syncMemory(
  engineSocket: string,
  dir: string,
  bytes: number,
): Promise<{ peakBytes: number; grownBytes: number }> {
  mkdirSync(dir);
  for (const name of ["large", "changed"]) writeFileSync(join(dir, name), "");
  truncateSync(join(dir, "large"), bytes);
  const { stdout } = await run(process.execPath, [syncScript, engineSocket, dir]);
  const [before, , peakBytes] = (JSON.parse(stdout) as { peaks: [number, number, number] }).peaks;
  return { peakBytes, grownBytes: peakBytes - before };
}

export type AppBuilds = {
  /** By our client, from the source to the image: plan, graph, files, export. */
  ours(noCache: boolean): Promise<unknown>;
  /** `docker build` of the plan as the Dockerfile that `starform eject` writes. */
  docker(noCache: boolean): Promise<unknown>;
};

/** One example, to be built either way on the same engine from the same bases. */
export async function appBuilds(engineSocket: string, bases: BaseImages, dir: string): Promise<AppBuilds> {
  const contextDir = join(dir, "app");
  cpSync(join(examples, "express"), contextDir, {
    recursive: true,
    filter: (path) => !path.includes("node_modules"),
  });
  const outcome = await planSource(contextDir);
  if (!outcome.ok || outcome.kind !== "plan") throw new Error("the example has no plan");
  const dockerfile = join(dir, "Dockerfile");
  writeFileSync(dockerfile, ejectDockerfile(outcome.plan));
  writeFileSync(`${dockerfile}.dockerignore`, ejectedIgnores(outcome.plan).join("\n"));
  const env = { ...process.env, DOCKER_BUILDKIT: "1", DOCKER_HOST: `unix://${engineSocket}` };
  return {
    async ours(noCache) {
      const planned = await planSource(contextDir);
      if (!planned.ok || planned.kind !== "plan") throw new Error("the example has no plan");
      await using client = await openBuildKit(dockerTransport(engineSocket));
      const tags = ["starform.local/bench/ours:1"];
      return await buildPlan(client, {
        contextDir,
        plan: planned.plan,
        bases,
        cacheNamespace: "bench",
        tags,
        noCache,
      });
    },
    docker: (noCache) =>
      run(
        "/usr/bin/docker",
        [
          "build",
          ...(noCache ? ["--no-cache"] : []),
          `--build-arg=BUILDER=${bases.builder}`,
          `--build-arg=RUNTIME=${bases.runtime}`,
          "--quiet",
          "--tag=bench/docker:1",
          `--file=${dockerfile}`,
          contextDir,
        ],
        { env },
      ),
  };
}
