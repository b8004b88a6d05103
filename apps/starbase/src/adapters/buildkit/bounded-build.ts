import { BuildFailed } from "@starform/buildkit/build-failed";
import { ranOutOfMemory, type BuildLimits } from "../process-builder/build-limits.ts";
import { BuildStopped } from "../process-builder/build-stopped.ts";
import { tooManyProcesses } from "../process-builder/watch-limits.ts";
import { markOf } from "./build-mark.ts";
import { engineDisk, type EngineDisk } from "./engine-disk.ts";
import type { GroupBounds } from "./engine-cgroup.ts";
import type { OwnEngine } from "./engine-group.ts";
import type { Watch } from "./watched-build.ts";

export type BoundedBuilds = {
  /**
   * Runs the work within the limits; its steps are known by the mark of the build's id. Throws BuildStopped, with the
   * limit in its sentence, where it went over one.
   */
  run<T>(
    build: { readonly buildId: string; readonly limits: BuildLimits },
    watch: Watch,
    work: (watch: Watch) => Promise<T>,
  ): Promise<T>;
};

const lookEveryMs = 250;
const killedExit = 137;
const unbounded =
  "memory, processors, processes and disk of this build are not bounded, because the Docker Engine is not Starform's own";

/**
 * Bounds the builds of one engine: each build by what it may use, all of them by the sum, and never more than `most`.
 * A step that cannot be told whose it is (a frontend image's) may use what the largest may. `engine` is asked for each
 * build, because it may have been started anew.
 */
export function boundedBuilds(engine: () => OwnEngine, most: BuildLimits): BoundedBuilds {
  const running = new Set<BuildLimits>();
  const together = (): GroupBounds => leastOf(most, sumOf(running));
  const bound = ({ group }: OwnEngine): void => {
    if (running.size > 0) group?.bound(together(), leastOf(most, largestOf(running)));
  };
  const disks = new WeakMap<OwnEngine, EngineDisk>();
  const diskOf = (own: OwnEngine): EngineDisk | undefined => {
    if (own.dataRoot === undefined) return undefined;
    const known = disks.get(own) ?? engineDisk(own.dataRoot, () => own.group?.chargedFolders() ?? new Set());
    disks.set(own, known);
    return known;
  };

  return {
    async run({ buildId, limits }, watch, work) {
      const own = engine();
      const { group } = own;
      if (!group) watch.say(unbounded);
      using memory = group?.watchMemory();
      const bombsBefore = group?.look() ?? 0;
      const [mine, over] = [{ ...limits }, new AbortController()];
      const end = (stopped: BuildStopped): void => over.abort(stopped);
      const bounds = leastOf(most, limits);
      running.add(mine);
      bound(own);
      let isKnown = false;
      using disk = diskOf(own)?.watch({ diskBytesMax: limits.diskBytesMax, end });
      using _steps = group?.enter(markOf(buildId), bounds, {
        began(traces) {
          isKnown = true;
          disk?.began(traces);
        },
        over: (what) => end(what === "memory" ? outOfMemory("the build", bounds) : tooManyProcesses(limits)),
      });
      const looking = setInterval(() => void group?.look(), lookEveryMs);
      try {
        return await work({ ...watch, signal: AbortSignal.any([watch.signal, over.signal]) });
      } catch (error) {
        if (over.signal.aborted && !watch.signal.aborted) throw over.signal.reason;
        throw error instanceof BuildFailed && group ? (reasonOf(error) ?? error) : error;
      } finally {
        clearInterval(looking);
        running.delete(mine);
        bound(own);
      }

      /** A step says only how it ended; the kernel knows why. */
      function reasonOf(failed: BuildFailed): BuildStopped | undefined {
        const isKilled = failed.exitCode === killedExit || saysSo(failed, /\bkilled\b/i);
        // First what is of this step alone: the bomb that was ended meanwhile may be another build's.
        if (saysSo(failed, cannotFork)) return tooManyProcesses(limits);
        // A step of a known build is killed only where all together had no more to give.
        const { memoryBytesMax } = isKnown ? together() : bounds;
        if (isKilled && memory?.mayHaveRunOut(memoryBytesMax))
          return outOfMemory(`the step "${failed.step}"`, bounds);
        const wasEnded = !isKnown && failed.exitCode === killedExit && group!.look() > bombsBefore;
        return wasEnded ? tooManyProcesses(limits) : undefined;
      }
    },
  };
}

const cannotFork = /\bfork\b.*Resource temporarily unavailable|Cannot fork|can't fork|\bspawn\b.*\bEAGAIN\b/i;
const saysSo = ({ lastLines }: BuildFailed, words: RegExp): boolean =>
  lastLines.some((line) => words.test(line));

const outOfMemory = (what: string, { memoryBytesMax }: GroupBounds): BuildStopped =>
  new BuildStopped(`${what} ${ranOutOfMemory(memoryBytesMax)}`);

const boundsBy = (of: (pick: (one: GroupBounds) => number) => number): GroupBounds => ({
  memoryBytesMax: of((one) => one.memoryBytesMax),
  processesMax: of((one) => one.processesMax),
  cpuMillisMax: of((one) => one.cpuMillisMax),
});
const sumOf = (all: Iterable<GroupBounds>): GroupBounds =>
  boundsBy((pick) => [...all].reduce((sum, one) => sum + pick(one), 0));
const largestOf = (all: Iterable<GroupBounds>): GroupBounds =>
  boundsBy((pick) => Math.max(...[...all].map(pick)));
const leastOf = (one: GroupBounds, other: GroupBounds): GroupBounds =>
  boundsBy((pick) => Math.min(pick(one), pick(other)));
