import { BuildFailed } from "@starform/buildkit/build-failed";
import { ranOutOfMemory, type BuildLimits } from "../process-builder/build-limits.ts";
import { BuildStopped } from "../process-builder/build-stopped.ts";
import { tooManyProcesses } from "../process-builder/watch-limits.ts";
import type { GroupBounds, OwnEngine } from "./engine-group.ts";
import { watchEngineDisk } from "./watch-engine-disk.ts";
import type { Watch } from "./watched-build.ts";

export type BoundedBuilds = {
  /** Runs the work within the limits. Throws BuildStopped, with the limit in its sentence, where it went over one. */
  run<T>(limits: BuildLimits, watch: Watch, work: (watch: Watch) => Promise<T>): Promise<T>;
};

const lookEveryMs = 250;
const killedExit = 137;
const unbounded =
  "memory, processors and processes of this build are not bounded, because the Docker Engine is not Starform's own";

/**
 * Bounds the builds of one engine: each step by what its build may use, all of them by the sum, and never more than
 * `most`. `engine` is asked for each build, because it may have been started anew.
 */
export function boundedBuilds(engine: () => OwnEngine, most: BuildLimits): BoundedBuilds {
  const running = new Set<BuildLimits>();
  const bound = ({ group }: OwnEngine): void => {
    if (running.size > 0) group?.bound(leastOf(most, sumOf(running)), leastOf(most, largestOf(running)));
  };

  return {
    async run(limits, watch, work) {
      const own = engine();
      const { group } = own;
      if (!group) watch.say(unbounded);
      using memory = group?.watchMemory();
      const bombsBefore = group?.endBombs() ?? 0;
      const [mine, over] = [{ ...limits }, new AbortController()];
      running.add(mine);
      bound(own);
      const disk = watchEngineDisk(limits, own.dataRoot, (stopped) => over.abort(stopped));
      const looking = setInterval(() => void group?.endBombs(), lookEveryMs);
      try {
        return await work({ ...watch, signal: AbortSignal.any([watch.signal, over.signal]) });
      } catch (error) {
        if (over.signal.aborted && !watch.signal.aborted) throw over.signal.reason;
        throw error instanceof BuildFailed && group ? (reasonOf(error) ?? error) : error;
      } finally {
        clearInterval(looking);
        disk[Symbol.dispose]();
        running.delete(mine);
        bound(own);
      }

      /** A step says only how it ended; the kernel knows why. */
      function reasonOf(failed: BuildFailed): BuildStopped | undefined {
        const isKilled = failed.exitCode === killedExit || saysSo(failed, /\bkilled\b/i);
        const { memoryBytesMax } = leastOf(most, limits);
        // First what is of this step alone: the bomb that was ended meanwhile may be another build's.
        if (saysSo(failed, cannotFork)) return tooManyProcesses(limits);
        if (isKilled && memory?.mayHaveRunOut(memoryBytesMax)) return outOfMemory(failed, memoryBytesMax);
        const wasEnded = failed.exitCode === killedExit && group!.endBombs() > bombsBefore;
        return wasEnded ? tooManyProcesses(limits) : undefined;
      }
    },
  };
}

const cannotFork = /\bfork\b.*Resource temporarily unavailable|Cannot fork|can't fork|\bspawn\b.*\bEAGAIN\b/i;
const saysSo = ({ lastLines }: BuildFailed, words: RegExp): boolean =>
  lastLines.some((line) => words.test(line));

const outOfMemory = ({ step }: BuildFailed, memoryBytesMax: number): BuildStopped =>
  new BuildStopped(`the step "${step}" ${ranOutOfMemory(memoryBytesMax)}`);

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
