import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { sayBytes, type BuildLimits } from "../process-builder/build-limits.ts";
import { BuildStopped } from "../process-builder/build-stopped.ts";
import { freeBytesMin, freeBytesOf, nearlyFull } from "../process-builder/free-disk.ts";
import { diskUsage } from "../process-builder/program.ts";

const lookEveryMs = 500;

/**
 * Ends a build by `end` that fills the engine's disk or writes more than it may. BuildKit's own count leaves out what
 * a step that still runs has written, so the file system is asked how much is free, and the engine's layers begun
 * since are measured once that fell by half of what the build may write.
 */
export function watchEngineDisk(
  { diskBytesMax }: BuildLimits,
  dataRoot: string | undefined,
  end: (stopped: BuildStopped) => void,
  freeBytes = freeBytesOf,
): Disposable {
  if (dataRoot === undefined) return { [Symbol.dispose]: () => undefined };
  const beganMs = Date.now();
  let freeThen: number | undefined;
  let isLooking = false;
  const look = async (): Promise<void> => {
    const free = await freeBytes(dataRoot);
    if (free < Math.min(freeBytesMin, diskBytesMax)) return end(nearlyFull(free));
    freeThen ??= free;
    if (freeThen - free < diskBytesMax / 2) return;
    const layers = await layersSince(dataRoot, beganMs);
    if (layers.length > 0 && (await diskUsage(layers)) > diskBytesMax) end(wroteTooMuch(diskBytesMax));
  };
  const timer = setInterval(() => {
    if (isLooking) return;
    isLooking = true;
    // A folder that vanishes while it is measured is no reason to stop anything.
    void look()
      .catch(() => undefined)
      .finally(() => (isLooking = false));
  }, lookEveryMs);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

const wroteTooMuch = (diskBytesMax: number): BuildStopped =>
  new BuildStopped(
    `the build was stopped because it wrote more than ${sayBytes(diskBytesMax)} to disk: make it write less, or leave large files out of the build`,
  );

/** The folders of the layers that the engine began since then: a step writes into one of its own. */
async function layersSince(dataRoot: string, sinceMs: number): Promise<string[]> {
  const dir = path.join(dataRoot, "overlay2");
  const layers = await Promise.all(
    (await readdir(dir)).map(async (name) => {
      const found = name === "l" ? undefined : await stat(path.join(dir, name)).catch(() => undefined);
      return found && found.birthtimeMs >= sinceMs ? [path.join(dir, name, "diff")] : [];
    }),
  );
  return layers.flat();
}
