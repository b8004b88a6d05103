import { existsSync, readFileSync, watch } from "node:fs";
import path from "node:path";
import {
  attempt,
  below,
  boundFolders,
  endAll,
  heldBytes,
  numberIn,
  openFolders,
  stepsIn,
  wholeNumberIn,
  write,
  type GroupBounds,
  type StepBounds,
} from "./engine-cgroup.ts";
import { tracesOf, type StepTraces } from "./engine-steps.ts";
import { peakWatch } from "./peak-watch.ts";

/**
 * The control group in which an engine of ours runs the steps of all builds, each in a group of its own below it. Builds
 * have none in between: it would belong to their steps' digests, and none would find another's work in the cache. Which
 * build a step is of, its mark tells.
 */
export type EngineGroup = {
  /** What all steps may use together, and what each may that is of no build known here; until the next call. */
  bound(together: GroupBounds, each: GroupBounds): void;
  /** From now on the steps with this mark are bounded as one build's; then, what still runs, as that of none. */
  enter(mark: string, bounds: GroupBounds, told: StepsTold): Disposable;
  /** From now on: whether the kernel may have killed for want of memory, where so much was to be had. */
  watchMemory(): Disposable & { mayHaveRunOut(memoryBytesMax: number): boolean };
  /** Sees which steps are over their limits, and ends those that were refused a process; answers how many of no build known here that were so far. */
  look(): number;
  /** Where steps write to that are charged to a build here, or are for another Worker to charge. */
  chargedFolders(): ReadonlySet<string>;
};

/** What is told of the steps of one build. */
export type StepsTold = {
  /** One begins. */
  began(traces: StepTraces): void;
  /** Together they went over that limit. */
  over(what: "memory" | "processes"): void;
};

/** What an engine of ours can be bounded by: the group of its builds, and the folder of its data. */
export type OwnEngine = { readonly group: EngineGroup | undefined; readonly dataRoot: string | undefined };

/**
 * Looks at the engine behind the socket: one of ours has its pid file beside the socket, and its command line names
 * the group that BuildKit puts its own below. One that was started anew has the same group, with the builds that go on in it.
 */
export function ownEngine(engineSocket: string): () => OwnEngine {
  const pidOf = () =>
    attempt(() => readFileSync(path.join(path.dirname(engineSocket), "dockerd.pid"), "utf8").trim());
  let known: (OwnEngine & { readonly parent: string }) | undefined;
  return () => {
    const { parent, dataRoot } = settingsOf(pidOf());
    if (!parent?.startsWith("/starform-docker-")) return known ?? { group: undefined, dataRoot: undefined };
    if (known?.group && known.parent === parent && known.dataRoot === dataRoot) return known;
    const traces = (step: string) => {
      const pid = pidOf();
      return dataRoot && pid ? tracesOf({ dataRoot, pid }, step) : undefined;
    };
    known = { parent, dataRoot, group: attempt(() => openGroup(path.join(parent, "buildkit"), traces)) };
    return known;
  };
}

function settingsOf(pid: string | undefined): { parent: string | undefined; dataRoot: string | undefined } {
  const words = (pid && attempt(() => readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0"))) || [];
  const valueOf = (option: string) =>
    words.find((word) => word.startsWith(`--${option}=`))?.slice(option.length + 3);
  return { parent: valueOf("cgroup-parent"), dataRoot: valueOf("data-root") };
}

type Build = { readonly bounds: GroupBounds; readonly told: StepsTold; readonly running: Set<string> };

function openGroup(name: string, tracesOfStep: (step: string) => StepTraces | undefined): EngineGroup {
  const group = openFolders(name);
  const { isUnified } = group;

  // Version 1 counts a kill in the step's own group only, which goes with the step; the most in use stays with ours.
  const peakFile = `${group.memory}/memory.max_usage_in_bytes`;
  const peaks = peakWatch({
    read: () => Number(attempt(() => readFileSync(peakFile, "utf8")) ?? 0),
    reset: () => write(peakFile, 0),
  });
  let each: GroupBounds | undefined;
  let bombs = 0;
  const builds = new Map<string, Build>();
  const steps = new Map<string, StepTraces>();
  const folders = new Set<string>();

  /** Of builds that are over: a step that another shares with one goes on. What has no mark of ours is another Worker's. */
  const endedMarks = new Set<string>();

  const buildOf = (step: string): Build | undefined => builds.get(steps.get(step)?.mark ?? "");
  const isOthers = (step: string): boolean => {
    const mark = steps.get(step)?.mark;
    return mark !== undefined && !builds.has(mark) && !endedMarks.has(mark);
  };
  const bound = (step: string): void => {
    if (isOthers(step)) return;
    const build = buildOf(step);
    const bounds = build ? shareOf(build) : each;
    if (bounds) boundFolders(below(group, step), bounds);
    // Version 1 says nowhere whom it killed; whom it holds up instead can be seen, and is ended by whoever looks.
    if (!isUnified) write(`${group.memory}/${step}/memory.oom_control`, build ? 1 : 0);
  };
  const meet = (step: string): void => {
    const traces = steps.has(step) ? undefined : tracesOfStep(step);
    if (traces) {
      steps.set(step, traces);
      const build = buildOf(step);
      if (build || isOthers(step))
        for (const folder of [...traces.layers, ...traces.caches]) folders.add(folder);
      build?.told.began(traces);
      build?.running.add(step);
      build?.running.forEach(bound);
    }
    bound(step);
  };
  const part = (step: string): void => {
    const build = buildOf(step);
    steps.delete(step);
    if (build?.running.delete(step)) build.running.forEach(bound);
  };
  const isThere = (step: string): boolean => existsSync(path.join(group.pids, step));
  // A step is bounded as soon as it has its group, long before it has done much. It has one for each controller.
  for (const dir of new Set([group.memory, group.pids, group.cpu])) {
    const watcher = watch(dir, { persistent: false }, (_event, step) => {
      if (!step) return;
      if (existsSync(path.join(dir, step))) meet(step);
      else if (!isThere(step)) part(step);
    });
    watcher.on("error", () => undefined);
  }

  const isOver = ({ bounds, running }: Build): "memory" | "processes" | undefined => {
    const sumOf = (used: (step: string) => number): number =>
      [...running].reduce((sum, step) => sum + used(step), 0);
    if (sumOf((step) => numberIn(`${group.pids}/${step}/pids.events`, "max")) > 0) return "processes";
    const processes = (step: string) => wholeNumberIn(`${group.pids}/${step}/pids.current`);
    if (running.size > 1 && sumOf(processes) > bounds.processesMax) return "processes";
    if (sumOf((step) => numberIn(`${group.memory}/${step}/memory.oom_control`, "under_oom")) > 0)
      return "memory";
    const held = (step: string) => heldBytes(`${group.memory}/${step}/memory.stat`, isUnified);
    return running.size > 1 && sumOf(held) > bounds.memoryBytesMax ? "memory" : undefined;
  };
  return {
    bound(together, one) {
      each = one;
      boundFolders(group, together);
      stepsIn(group).forEach(bound);
    },
    enter(mark, bounds, told) {
      const build: Build = { bounds, told, running: new Set() };
      builds.set(mark, build);
      return {
        [Symbol.dispose]() {
          builds.delete(mark);
          keepLatest(endedMarks.add(mark), endedMarksMax);
          build.running.forEach(bound);
          // Only folders that are younger than some build are asked about.
          if (builds.size === 0) folders.clear();
        },
      };
    },
    chargedFolders: () => folders,
    watchMemory() {
      const killed = () => numberIn(`${group.memory}/memory.events`, "oom_kill");
      const before = killed();
      if (isUnified) return { mayHaveRunOut: () => killed() > before, [Symbol.dispose]: () => undefined };
      const peak = peaks.begin();
      return {
        mayHaveRunOut: (memoryBytesMax) => peak.most() >= memoryBytesMax * 0.95,
        [Symbol.dispose]: () => peak[Symbol.dispose](),
      };
    },
    look() {
      const now = stepsIn(group);
      for (const step of steps.keys()) if (!now.includes(step)) part(step);
      for (const build of builds.values()) {
        const what = isOver(build);
        if (what === "processes") for (const step of build.running) endAll(path.join(group.pids, step));
        if (what) build.told.over(what);
      }
      // After it was seen who is held up: to bound a step anew lets it go on for a moment.
      now.forEach(meet);
      const refused = now.filter(
        (step) =>
          !buildOf(step) && !isOthers(step) && numberIn(`${group.pids}/${step}/pids.events`, "max") > 0,
      );
      for (const step of refused) endAll(path.join(group.pids, step));
      return (bombs += refused.length);
    },
  };
}

/** Far more than there can be steps that outlive their builds. */
const endedMarksMax = 1_000;

function keepLatest(all: Set<string>, most: number): void {
  for (const oldest of all) {
    if (all.size <= most) return;
    all.delete(oldest);
  }
}

/** Processors are shared among the steps that a build runs at once; what else it may have, they are seen to have together. */
const shareOf = ({ bounds, running }: Build): StepBounds => ({
  ...bounds,
  cpuMillisMax: Math.ceil(bounds.cpuMillisMax / running.size),
  cpuShare: 1 / running.size,
});
