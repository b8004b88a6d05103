import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureBaseImages } from "@starform/buildkit/base-images";
import { openBuildKit } from "@starform/buildkit/client";
import { dockerTransport } from "@starform/buildkit/transport";
import { openDockerEngine, requireEngineInCi } from "@starform/testkit/docker-engine";
import {
  appBuilds,
  copyByTar,
  dockerSendMs,
  elapsedMs,
  largeTree,
  planningTimes,
  sendTree,
  syncMemory,
  type AppBuilds,
} from "./build/measures.ts";
import { atMost, median, type Figure } from "./figure.ts";

const rounds = 3;
const filesCount = 20_000;
const mebibyte = 2 ** 20;
const largeBytes = 1_126 * mebibyte;
const [planTargetMs, unchangedTargetMs] = [50, 500];

/** Our path over `docker build` of the ejected Dockerfile and over tar to tar, in turns on one engine; planning; a build without a change. */
export async function run(): Promise<Figure[]> {
  const plans = median(await planningTimes());
  const planning = atMost("planning an example", plans, "ms", plans / planTargetMs, 1);
  if (!requireEngineInCi() || !existsSync("/usr/bin/docker")) return [planning];
  const dir = mkdtempSync(join(tmpdir(), "starform-bench-"));
  try {
    return [planning, ...(await onEngine(dir))];
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function onEngine(dir: string): Promise<Figure[]> {
  await using engine = await openDockerEngine();
  const bases = await ensureBaseImages(engine.socketPath, {
    cacheDir: join(dir, "bases"),
    nodeVersion: process.versions.node,
    form: "host",
    log: () => undefined,
  });
  const builds = await appBuilds(engine.socketPath, bases, dir);
  return [...(await sync(engine.socketPath, dir)), ...(await overhead(builds))];
}

async function sync(engineSocket: string, dir: string): Promise<Figure[]> {
  const tree = join(dir, "tree");
  mkdirSync(tree);
  largeTree(tree, filesCount);
  await using client = await openBuildKit(dockerTransport(engineSocket));
  const [sent, copied, peers]: [number[], number[], number[]] = [[], [], []];
  for (let round = 0; round < rounds; round += 1) {
    const copy = join(dir, `copy-${round}`);
    copied.push(await elapsedMs(() => copyByTar(tree, copy)));
    sent.push(await elapsedMs(() => sendTree(client, tree)));
    peers.push(await dockerSendMs(engineSocket, join(dir, "Copy.Dockerfile"), copy));
  }
  const [ours, tar, peer] = [median(sent), median(copied), median(peers)];
  const memory = await syncMemory(engineSocket, join(dir, "large"), largeBytes);
  return [
    // What the engine does with each file is more than tar does: docs/adr/0028-what-sending-a-tree-is-held-to.md.
    atMost(`sending ${filesCount} files, over tar to tar`, ours, "ms", ours / tar, 3.5),
    atMost(`sending ${filesCount} files, over docker build's own sending`, ours, "ms", ours / peer, 1.1),
    // A tenth of the tree is what may be held of it.
    atMost(
      "context sync of 1.1 GiB: peak RSS",
      memory.peakBytes / mebibyte,
      "MiB",
      memory.grownBytes / (largeBytes / 10),
      1,
    ),
  ];
}

async function overhead(builds: AppBuilds): Promise<Figure[]> {
  // What either finds in npm's cache and the disk's is there for both.
  await builds.ours(true);
  await builds.docker(true);
  const cold = await inTurns(builds, true);
  const warm = await inTurns(builds, false);
  return [
    atMost("a cold build, over docker build", cold.ours, "ms", cold.ours / cold.docker, 1.1),
    atMost("a warm build, over docker build", warm.ours, "ms", warm.ours / warm.docker, 1.1),
    atMost("a build without a change", warm.ours, "ms", warm.ours / unchangedTargetMs, 1),
  ];
}

/** Medians of both, each first in every other round. */
async function inTurns(builds: AppBuilds, noCache: boolean): Promise<{ ours: number; docker: number }> {
  const times: { ours: number[]; docker: number[] } = { ours: [], docker: [] };
  for (let round = 0; round < rounds; round += 1)
    for (const name of round % 2 === 0 ? (["ours", "docker"] as const) : (["docker", "ours"] as const))
      times[name].push(await elapsedMs(() => builds[name](noCache)));
  return { ours: median(times.ours), docker: median(times.docker) };
}
