import { mkdirSync, readdirSync, readFileSync, watch, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import path from "node:path";
import { peakWatch } from "./peak-watch.ts";

export type GroupBounds = {
  readonly memoryBytesMax: number;
  readonly processesMax: number;
  /** In thousandths of a processor. */
  readonly cpuMillisMax: number;
};

/**
 * The control group in which an engine of ours runs the steps of all builds, each in a group of its own below it. A
 * build cannot be given a group: it would belong to its steps' digests, and none would find another's work in the cache.
 */
export type EngineGroup = {
  /** What all steps may use together, and what each may; until the next call. */
  bound(together: GroupBounds, each: GroupBounds): void;
  /** From now on: whether the kernel may have killed for want of memory, where a step may use so much. */
  watchMemory(): Disposable & { mayHaveRunOut(memoryBytesMax: number): boolean };
  /** Ends every step that was refused a process; answers how many that were so far. */
  endBombs(): number;
};

/** What an engine of ours can be bounded by: the group of its builds, and the folder of its data. */
export type OwnEngine = { readonly group: EngineGroup | undefined; readonly dataRoot: string | undefined };

const root = "/sys/fs/cgroup";
const periodMicros = 100_000;
/** An app beside it counts as 1,024: who is visited comes before who is built. */
const cpuShares = 512;
const cpuWeight = 1 + Math.floor(((cpuShares - 2) * 9_999) / 262_142);

/**
 * Looks at the engine behind the socket: one of ours has its pid file beside the socket, and its command line names
 * the group that BuildKit puts its own below. Each call sees an engine that was started anew.
 */
export function ownEngine(engineSocket: string): () => OwnEngine {
  let [known, seenPid]: [OwnEngine, string | undefined] = [
    { group: undefined, dataRoot: undefined },
    undefined,
  ];
  return () => {
    const pid = attempt(() =>
      readFileSync(path.join(path.dirname(engineSocket), "dockerd.pid"), "utf8").trim(),
    );
    if (pid !== seenPid || !known.group) [known, seenPid] = [engineOf(pid), pid];
    return known;
  };
}

function engineOf(pid: string | undefined): OwnEngine {
  const words = (pid && attempt(() => readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0"))) || [];
  const valueOf = (option: string) =>
    words.find((word) => word.startsWith(`--${option}=`))?.slice(option.length + 3);
  const parent = valueOf("cgroup-parent");
  if (!parent?.startsWith("/starform-docker-")) return { group: undefined, dataRoot: undefined };
  return { group: attempt(() => openGroup(path.join(parent, "buildkit"))), dataRoot: valueOf("data-root") };
}

/** Where the group's files are: one folder in version 2, one for each controller in version 1. */
type Folders = {
  readonly isUnified: boolean;
  readonly memory: string;
  readonly pids: string;
  readonly cpu: string;
};

function openGroup(name: string): EngineGroup {
  const isUnified = attempt(() => readFileSync(`${root}/cgroup.controllers`)) !== undefined;
  const of = (controller: string) => path.join(root, isUnified ? "" : controller, name);
  const group: Folders = { isUnified, memory: of("memory"), pids: of("pids"), cpu: of("cpu") };
  for (const dir of [group.memory, group.pids, group.cpu]) mkdirSync(dir, { recursive: true });
  if (!isUnified) attempt(() => mkdirSync(of("blkio"), { recursive: true }));
  if (isUnified)
    for (const dir of [root, path.dirname(group.memory)])
      write(`${dir}/cgroup.subtree_control`, "+memory +pids +cpu");
  write(isUnified ? `${group.cpu}/cpu.weight` : `${group.cpu}/cpu.shares`, isUnified ? cpuWeight : cpuShares);

  // Where the kernel's disk scheduler knows weights: a quarter of what an app has by default.
  const disk = isUnified ? group.cpu : of("blkio");
  for (const file of ["blkio.weight", "blkio.bfq.weight"]) attempt(() => overwrite(`${disk}/${file}`, 125));
  for (const file of ["io.weight", "io.bfq.weight"]) attempt(() => overwrite(`${disk}/${file}`, 25));

  // Version 1 counts a kill in the step's own group only, which goes with the step; the most in use stays with ours.
  const peakFile = `${group.memory}/memory.max_usage_in_bytes`;
  const peaks = peakWatch({
    read: () => Number(attempt(() => readFileSync(peakFile, "utf8")) ?? 0),
    reset: () => write(peakFile, 0),
  });
  let each: GroupBounds | undefined;
  let bombs = 0;
  const boundStep = (step: string): void => void (each && boundFolders(below(group, step), each));
  // A step is bounded as soon as it has its group, long before it has done much.
  for (const dir of new Set([group.memory, group.pids, group.cpu])) {
    const watcher = watch(dir, { persistent: false }, (_event, step) => void (step && boundStep(step)));
    watcher.on("error", () => undefined);
  }
  return {
    bound(together, one) {
      each = one;
      boundFolders(group, together);
      stepsIn(group).forEach(boundStep);
    },
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
    endBombs() {
      const refused = stepsIn(group).filter(
        (step) => numberIn(`${group.pids}/${step}/pids.events`, "max") > 0,
      );
      for (const step of refused) endAll(path.join(group.pids, step));
      return (bombs += refused.length);
    },
  };
}

const below = (group: Folders, step: string): Folders => ({
  ...group,
  memory: path.join(group.memory, step),
  pids: path.join(group.pids, step),
  cpu: path.join(group.cpu, step),
});

function boundFolders({ isUnified, memory, pids, cpu }: Folders, bounds: GroupBounds): void {
  const { memoryBytesMax, processesMax, cpuMillisMax } = bounds;
  const isLess = cpuMillisMax < availableParallelism() * 1_000;
  const quotaMicros = isLess ? Math.ceil((cpuMillisMax / 1_000) * periodMicros) : undefined;
  write(`${pids}/pids.max`, processesMax);
  if (isUnified) {
    write(`${memory}/memory.max`, memoryBytesMax);
    write(`${memory}/memory.swap.max`, 0);
    write(`${cpu}/cpu.max`, `${quotaMicros ?? "max"} ${periodMicros}`);
    return;
  }
  // Memory and swap together must never be less than memory, whichever way it goes.
  write(`${memory}/memory.memsw.limit_in_bytes`, -1);
  write(`${memory}/memory.limit_in_bytes`, memoryBytesMax);
  write(`${memory}/memory.memsw.limit_in_bytes`, memoryBytesMax);
  write(`${cpu}/cpu.cfs_quota_us`, quotaMicros ?? -1);
}

const stepsIn = ({ pids }: Folders): string[] =>
  (attempt(() => readdirSync(pids, { withFileTypes: true })) ?? [])
    .filter((one) => one.isDirectory())
    .map(({ name }) => name);

/** Without a new process none can get away from being ended. */
function endAll(dir: string): void {
  write(`${dir}/pids.max`, 0);
  const members = (attempt(() => readFileSync(`${dir}/cgroup.procs`, "utf8")) ?? "")
    .split("\n")
    .filter(Boolean);
  for (const pid of members) attempt(() => process.kill(Number(pid), "SIGKILL"));
}

/** Not every kernel counts swap, none lowers a limit below what is in use, and a step may be over by now. */
const write = (file: string, value: number | string): void =>
  void attempt(() => writeFileSync(file, String(value)));

/** Makes no file where the kernel has none. */
const overwrite = (file: string, value: number): void => writeFileSync(file, String(value), { flag: "r+" });

function numberIn(file: string, key: string): number {
  const text = attempt(() => readFileSync(file, "utf8")) ?? "";
  return Number(new RegExp(`^${key} (\\d+)$`, "m").exec(text)?.[1] ?? 0);
}

function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}
