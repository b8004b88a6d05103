import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { sayBytes } from "../process-builder/build-limits.ts";
import { BuildStopped } from "../process-builder/build-stopped.ts";
import { freeBytesMin, freeBytesOf, nearlyFull } from "../process-builder/free-disk.ts";
import { diskUsage } from "../process-builder/program.ts";
import type { StepTraces } from "./engine-steps.ts";

/** A build that writes into an engine. */
export type DiskWriter = {
  readonly diskBytesMax: number;
  /** Called once, with why the build is to end. */
  readonly end: (stopped: BuildStopped) => void;
};

export type EngineDisk = {
  /** Watches what a build writes, until it is disposed of. */
  watch(writer: DiskWriter): WatchedWriter;
};

export type WatchedWriter = Disposable & {
  /** A step of the build begins. */
  began(traces: StepTraces): void;
};

type Watched = DiskWriter & {
  readonly beganMs: number;
  endedMs: number;
  isEnding: boolean;
  /** What the disk had free when it was last measured, and when that was. */
  measured?: { freeBytes: number; atMs: number };
  /** Of its own steps. */
  readonly layers: Set<string>;
  /** What caches held before its steps wrote into them. */
  readonly cachesBefore: Map<string, Promise<number>>;
};

const lookEveryMs = 500;
const measureEveryMs = 20_000;
/** How long one that was ended for room on the disk has to give it back before another is. */
const roomWithinMs = 5_000;

/**
 * Ends builds that fill an engine's disk or write more than they may. BuildKit's own count leaves out what a step that
 * still runs has written, so folders are measured: those of a build's own steps, what its caches grew by, and the layers
 * that no step of a known build made (copies, fetched files, steps without a mark) while it was the only one. What several may have made is held to what they
 * may write together. To ask how much is free costs nothing; the rest is asked when that fell, and now and then.
 */
export function engineDisk(
  dataRoot: string,
  chargedFolders: () => ReadonlySet<string>,
  freeBytes = freeBytesOf,
): EngineDisk {
  let all: Watched[] = [];
  let timer: NodeJS.Timeout | undefined;
  let isLooking = false;
  let madeRoomMs = -Infinity;

  async function look(): Promise<void> {
    const running = all.filter(({ endedMs, isEnding }) => endedMs === Infinity && !isEnding);
    const free = await freeBytes(dataRoot);
    const isFull = free < Math.min(freeBytesMin, ...running.map(({ diskBytesMax }) => diskBytesMax));
    const now = Date.now();
    const due = running.filter(({ diskBytesMax, measured }) => {
      if (isFull || measured === undefined) return true;
      return measured.freeBytes - free > diskBytesMax / 20 || now - measured.atMs > measureEveryMs;
    });
    if (due.length === 0) return;
    const { aloneBy, together } = await otherLayers(running);
    const sums = new Map<Watched, number>();
    for (const one of due) {
      one.measured = { freeBytes: free, atMs: now };
      const wrote = await ownBytes(one, aloneBy.get(one) ?? []);
      sums.set(one, wrote);
      if (wrote > one.diskBytesMax) stop(one, wroteTooMuch(one.diskBytesMax));
    }
    // Whoever took most of it makes room; the others may go on.
    const [most] = due.toSorted((one, other) => (sums.get(other) ?? 0) - (sums.get(one) ?? 0));
    if (isFull && most && now - madeRoomMs > roomWithinMs) {
      madeRoomMs = now;
      stop(most, nearlyFull(free));
    }
    const mayTogether = all.reduce((sum, { diskBytesMax }) => sum + diskBytesMax, 0);
    if (together.length > 0 && (await diskUsage(together)) > mayTogether)
      for (const one of running) stop(one, wroteTooMuch(one.diskBytesMax));
  }

  function stop(one: Watched, stopped: BuildStopped): void {
    if (one.isEnding) return;
    one.isEnding = true;
    one.end(stopped);
  }

  /** Layers of no step whose build is known, begun since: of the one build that ran then, and of several. */
  async function otherLayers(running: readonly Watched[]) {
    const sinceMs = Math.min(...running.map(({ beganMs }) => beganMs));
    const known = chargedFolders();
    const aloneBy = new Map<Watched, string[]>();
    const together: string[] = [];
    for (const { dir, bornMs } of await layersSince(dataRoot, sinceMs)) {
      if (known.has(dir)) continue;
      const [one, ...others] = all.filter(({ beganMs, endedMs }) => beganMs <= bornMs && bornMs <= endedMs);
      if (others.length > 0) together.push(dir);
      else if (one) aloneBy.set(one, [...(aloneBy.get(one) ?? []), dir]);
    }
    return { aloneBy, together };
  }

  const tick = (): void => {
    if (isLooking) return;
    isLooking = true;
    // A folder that vanishes while it is measured is no reason to stop anything.
    void look()
      .catch(() => undefined)
      .finally(() => (isLooking = false));
  };

  return {
    watch(writer) {
      const one: Watched = {
        ...writer,
        beganMs: Date.now(),
        endedMs: Infinity,
        isEnding: false,
        layers: new Set(),
        cachesBefore: new Map(),
      };
      all.push(one);
      timer ??= setInterval(tick, lookEveryMs);
      return {
        began({ layers, caches }) {
          layers.forEach((layer) => one.layers.add(layer));
          for (const cache of caches)
            if (!one.cachesBefore.has(cache)) one.cachesBefore.set(cache, diskUsage([cache]));
        },
        [Symbol.dispose]() {
          one.endedMs = Date.now();
          const running = all.filter(({ endedMs }) => endedMs === Infinity);
          // Of those that are over, only they are asked for again that were beside one that is not.
          all = all.filter(({ endedMs }) => running.some(({ beganMs }) => beganMs <= endedMs));
          if (running.length > 0) return;
          clearInterval(timer);
          timer = undefined;
        },
      };
    },
  };
}

async function ownBytes({ layers: own, cachesBefore }: Watched, alone: readonly string[]): Promise<number> {
  const layers = [...own, ...alone];
  const caches = [...cachesBefore.keys()];
  const before = await Promise.all(cachesBefore.values());
  const after = await Promise.all(caches.map((cache) => diskUsage([cache])));
  const grown = after.reduce((sum, bytes, at) => sum + Math.max(0, bytes - before[at]!), 0);
  return grown + (layers.length > 0 ? await diskUsage(layers) : 0);
}

const wroteTooMuch = (diskBytesMax: number): BuildStopped =>
  new BuildStopped(
    `the build was stopped because it wrote more than ${sayBytes(diskBytesMax)} to disk: make it write less, or leave large files out of the build`,
  );

/** The layers that the engine began since then. */
async function layersSince(dataRoot: string, sinceMs: number): Promise<{ dir: string; bornMs: number }[]> {
  const dir = path.join(dataRoot, "overlay2");
  const layers = await Promise.all(
    (await readdir(dir).catch(() => [])).map(async (name) => {
      const found = name === "l" ? undefined : await stat(path.join(dir, name)).catch(() => undefined);
      return found && found.birthtimeMs >= sinceMs
        ? [{ dir: path.join(dir, name, "diff"), bornMs: found.birthtimeMs }]
        : [];
    }),
  );
  return layers.flat();
}
