import { sayDuration } from "@starform/std/duration";
import { sayBytes, type BuildLimits } from "./build-limits.ts";
import { BuildStopped } from "./build-stopped.ts";
import { freeBytesMin, freeBytesOf, nearlyFull } from "./free-disk.ts";
import type { Cgroup } from "./cgroup.ts";
import { diskUsage } from "./program.ts";

export type LimitWatch = Disposable & {
  /** The build said something. */
  heard(): void;
};

const lookEveryMs = 400;

/**
 * Ends the build by `end` when it is over one of its limits. `folders` are what counts as its disk space. The file
 * system is asked how much is free, which costs nothing; the folders are measured when that fell noticeably.
 */
export function watchLimits(
  build: {
    limits: BuildLimits;
    cgroup: Cgroup | undefined;
    folders: readonly string[];
    freeBytes?: typeof freeBytesOf;
  },
  end: (stopped: BuildStopped) => void,
): LimitWatch {
  const { limits, cgroup, folders } = build;
  let [heardAtMs, isLooking, freeBytesThen, measuredAtMs] = [performance.now(), false, Infinity, -Infinity];
  let usedBefore: number | undefined;
  const startedMs = performance.now();

  const disk = async () => {
    const free = await (build.freeBytes ?? freeBytesOf)(folders[0]!);
    if (free < Math.min(freeBytesMin, limits.diskBytesMax)) return end(nearlyFull(free));
    const fell = freeBytesThen - free > limits.diskBytesMax / 20;
    if (!fell && usedBefore !== undefined && performance.now() - measuredAtMs < 20_000) return;
    const used = await diskUsage(folders);
    [freeBytesThen, measuredAtMs] = [free, performance.now()];
    usedBefore ??= used;
    if (used - usedBefore > limits.diskBytesMax)
      end(
        new BuildStopped(
          `the build was stopped because it wrote more than ${sayBytes(limits.diskBytesMax)} to disk: make it write less, or leave large files out of the build`,
        ),
      );
  };

  const look = async () => {
    const now = performance.now();
    if (now - startedMs > limits.wallClockMs) return end(tookTooLong(limits.wallClockMs));
    if (now - heardAtMs > limits.silenceMs)
      return end(
        new BuildStopped(
          `the build was stopped because it printed nothing for ${sayDuration(limits.silenceMs)}: it hangs, or waits for an answer nobody gives: let it run without asking, and say what it does`,
        ),
      );
    if ((cgroup?.events().refusedForks ?? 0) > 0) return end(tooManyProcesses(limits));
    await disk();
  };

  const timer = setInterval(() => {
    if (isLooking) return;
    isLooking = true;
    // A folder that vanishes while it is measured is no reason to stop anything.
    void look()
      .catch(() => undefined)
      .finally(() => (isLooking = false));
  }, lookEveryMs);
  return { heard: () => void (heardAtMs = performance.now()), [Symbol.dispose]: () => clearInterval(timer) };
}

export const tooManyProcesses = ({ processesMax }: BuildLimits): BuildStopped =>
  new BuildStopped(
    `the build was stopped because it started more than ${processesMax} processes at once: let it run fewer`,
  );

export const tookTooLong = (wallClockMs: number): BuildStopped =>
  new BuildStopped(
    `the build was stopped because it took longer than ${sayDuration(wallClockMs)}: make it do less, or deploy an image that is built elsewhere`,
  );
