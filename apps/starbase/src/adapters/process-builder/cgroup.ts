import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import path from "node:path";
import { pause } from "@starform/std/retry";

/** A group of processes that the kernel counts and bounds together. */
export type Cgroup = {
  /** Files that a process writes its id to in order to join. */
  readonly joinFiles: readonly string[];
  /** How often the kernel killed for memory and refused a new process here. */
  events(): { oomKills: number; refusedForks: number };
  /** The most memory its members had together so far; undefined where the kernel does not keep it. */
  peakMemoryBytes(): number | undefined;
  /** Kills all members and takes the group away. */
  remove(): Promise<void>;
};

export type CgroupLimits = {
  readonly memoryBytesMax: number;
  readonly processesMax: number;
  /** In thousandths of a processor. */
  readonly cpuMillisMax: number;
};

/** How long the kernel counts processor time together. */
const periodMicros = 100_000;
/** Of a period; undefined where it is no limit on this machine. */
const quotaMicros = (cpuMillisMax: number): number | undefined =>
  cpuMillisMax < availableParallelism() * 1_000
    ? Math.ceil((cpuMillisMax / 1_000) * periodMicros)
    : undefined;

const root = "/sys/fs/cgroup";

/**
 * What a build is worth beside what is visited: a quarter of one process of an app or of the platform, on every
 * processor. Version 1 counts a group as 1,024 for all processors together, and beside it compete not groups but single
 * processes of 1,024 each, wherever all others are in the root group; so the share is one for each processor, or a build
 * would all but stand still on a large machine.
 */
const cpuSharesEach = 256;
/** Of the default of 100 (version 2), or of 500 (version 1). Only some of the kernel's disk schedulers know weights. */
const [weight, blkioWeight] = [25, 125];

/**
 * Makes a cgroup (version 2 where it is the only one, else version 1); undefined where the machine does not let us,
 * which the caller says in the log.
 */
export function openCgroup(name: string, limits: CgroupLimits): Cgroup | undefined {
  try {
    return existsSync(`${root}/cgroup.controllers`) ? openUnified(name, limits) : openSplit(name, limits);
  } catch {
    return undefined;
  }
}

/** Takes away a group of this name that a killed process left behind. */
export async function removeLeftCgroup(name: string): Promise<void> {
  const dirs = [`${root}/${parent}/${name}`, ...splitDirs(name)].filter((dir) => existsSync(dir));
  if (dirs.length > 0) await removeGroups(dirs);
}

const parent = "starform-builds";

function openUnified(name: string, { memoryBytesMax, processesMax, cpuMillisMax }: CgroupLimits): Cgroup {
  const base = `${root}/${parent}`;
  const dir = `${base}/${name}`;
  writeFileSync(`${root}/cgroup.subtree_control`, "+memory +pids +cpu");
  attempt(() => writeFileSync(`${root}/cgroup.subtree_control`, "+io"));
  mkdirSync(base, { recursive: true });
  // All builds together: the groups beside theirs are those of whole slices.
  writeFileSync(`${base}/cpu.weight`, String(weight));
  for (const file of ["io.weight", "io.bfq.weight"])
    attempt(() => writeFileSync(`${base}/${file}`, String(weight), { flag: "r+" }));
  writeFileSync(`${base}/cgroup.subtree_control`, "+memory +pids +cpu");
  mkdirSync(dir);
  writeFileSync(`${dir}/memory.max`, String(memoryBytesMax));
  writeFileSync(`${dir}/pids.max`, String(processesMax));
  attempt(() => writeFileSync(`${dir}/memory.swap.max`, "0"));
  const quota = quotaMicros(cpuMillisMax);
  if (quota) writeFileSync(`${dir}/cpu.max`, `${quota} ${periodMicros}`);
  return {
    joinFiles: [`${dir}/cgroup.procs`],
    events: () => ({
      oomKills: numberIn(`${dir}/memory.events`, "oom_kill"),
      refusedForks: numberIn(`${dir}/pids.events`, "max"),
    }),
    peakMemoryBytes: () => wholeNumberIn(`${dir}/memory.peak`),
    remove: () => removeGroups([dir]),
  };
}

function openSplit(name: string, { memoryBytesMax, processesMax, cpuMillisMax }: CgroupLimits): Cgroup {
  const [memory, pids, cpu] = ["memory", "pids", "cpu"].map((controller) => splitDir(controller, name));
  if (!memory || !pids) throw new Error("no memory or pids controller");
  for (const dir of [memory, pids]) mkdirSync(dir);
  writeFileSync(`${memory}/memory.limit_in_bytes`, String(memoryBytesMax));
  writeFileSync(`${pids}/pids.max`, String(processesMax));
  const dirs = [memory, pids];
  attempt(() => {
    if (!cpu) return;
    mkdirSync(cpu);
    writeFileSync(`${cpu}/cpu.shares`, String(cpuSharesEach * availableParallelism()));
    dirs.push(cpu);
    const quota = quotaMicros(cpuMillisMax);
    if (!quota) return;
    writeFileSync(`${cpu}/cpu.cfs_period_us`, String(periodMicros));
    writeFileSync(`${cpu}/cpu.cfs_quota_us`, String(quota));
  });
  attempt(() => {
    const blkio = splitDir("blkio", name);
    if (!blkio) return;
    mkdirSync(blkio);
    dirs.push(blkio);
    for (const file of ["blkio.weight", "blkio.bfq.weight"])
      attempt(() => writeFileSync(`${blkio}/${file}`, String(blkioWeight), { flag: "r+" }));
  });
  return {
    joinFiles: dirs.map((dir) => `${dir}/cgroup.procs`),
    events: () => ({
      oomKills: numberIn(`${memory}/memory.oom_control`, "oom_kill"),
      refusedForks: numberIn(`${pids}/pids.events`, "max"),
    }),
    peakMemoryBytes: () => wholeNumberIn(`${memory}/memory.max_usage_in_bytes`),
    remove: () => removeGroups(dirs),
  };
}

const splitDirs = (name: string): string[] =>
  ["memory", "pids", "cpu", "blkio"].flatMap((controller) => splitDir(controller, name) ?? []);

/** Below the group this process is in: all it may be allowed to write to. */
function splitDir(controller: string, name: string): string | undefined {
  const line = readFileSync("/proc/self/cgroup", "utf8")
    .split("\n")
    .find((line) => line.split(":")[1]?.split(",").includes(controller));
  const own = line?.split(":").slice(2).join(":");
  if (own === undefined || !existsSync(`${root}/${controller}`)) return undefined;
  const base = path.join(root, controller, own);
  return existsSync(base) ? path.join(base, `${parent}-${name}`) : undefined;
}

/** Kills until nobody is left: a member may have forked between the reading and the killing. */
async function removeGroups(dirs: readonly string[]): Promise<void> {
  for (let round = 0; round < 200; round++) {
    for (const dir of dirs) {
      attempt(() => writeFileSync(`${dir}/pids.max`, "0"));
      attempt(() => writeFileSync(`${dir}/cgroup.kill`, "1"));
      for (const pid of membersOf(dir)) attempt(() => process.kill(pid, "SIGKILL"));
      attempt(() => rmdirSync(dir));
    }
    if (!dirs.some((dir) => existsSync(dir))) return;
    await pause(25);
  }
}

const membersOf = (dir: string): number[] =>
  (attempt(() => readFileSync(`${dir}/cgroup.procs`, "utf8")) ?? "")
    .split("\n")
    .filter((line) => line !== "" && line !== "0")
    .map(Number);

function numberIn(file: string, key: string): number {
  const text = attempt(() => readFileSync(file, "utf8")) ?? "";
  return Number(new RegExp(`^${key} (\\d+)$`, "m").exec(text)?.[1] ?? 0);
}

function wholeNumberIn(file: string): number | undefined {
  const text = attempt(() => readFileSync(file, "utf8"))?.trim();
  return text && /^\d+$/.test(text) ? Number(text) : undefined;
}

function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}
