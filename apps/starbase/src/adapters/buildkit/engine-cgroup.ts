import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import path from "node:path";

export type GroupBounds = {
  readonly memoryBytesMax: number;
  readonly processesMax: number;
  /** In thousandths of a processor. */
  readonly cpuMillisMax: number;
};

const root = "/sys/fs/cgroup";
const periodMicros = 100_000;
/** An app beside it counts as 1,024: who is visited comes before who is built. */
const cpuShares = 512;
const cpuWeight = 1 + Math.floor(((cpuShares - 2) * 9_999) / 262_142);

/** Where the group's files are: one folder in version 2, one for each controller in version 1. */
type Folders = {
  readonly isUnified: boolean;
  readonly memory: string;
  readonly pids: string;
  readonly cpu: string;
};

/** Makes the group of all builds below this parent, with its weights against apps. */
export function openFolders(name: string): Folders {
  const isUnified = attempt(() => readFileSync(`${root}/cgroup.controllers`)) !== undefined;
  const of = (controller: string) => path.join(root, isUnified ? "" : controller, name);
  const folders: Folders = { isUnified, memory: of("memory"), pids: of("pids"), cpu: of("cpu") };
  for (const dir of [folders.memory, folders.pids, folders.cpu]) mkdirSync(dir, { recursive: true });
  if (!isUnified) attempt(() => mkdirSync(of("blkio"), { recursive: true }));
  if (isUnified)
    for (const dir of [root, path.dirname(folders.memory)])
      write(`${dir}/cgroup.subtree_control`, "+memory +pids +cpu");
  write(
    isUnified ? `${folders.cpu}/cpu.weight` : `${folders.cpu}/cpu.shares`,
    isUnified ? cpuWeight : cpuShares,
  );

  // Where the kernel's disk scheduler knows weights: a quarter of what an app has by default.
  const disk = isUnified ? folders.cpu : of("blkio");
  for (const file of ["blkio.weight", "blkio.bfq.weight"]) attempt(() => overwrite(`${disk}/${file}`, 125));
  for (const file of ["io.weight", "io.bfq.weight"]) attempt(() => overwrite(`${disk}/${file}`, 25));
  return folders;
}

/** Those of one step. */
export const below = (group: Folders, step: string): Folders => ({
  ...group,
  memory: path.join(group.memory, step),
  pids: path.join(group.pids, step),
  cpu: path.join(group.cpu, step),
});

export type StepBounds = GroupBounds & { readonly cpuShare?: number };

export function boundFolders({ isUnified, memory, pids, cpu }: Folders, bounds: StepBounds): void {
  const { memoryBytesMax, processesMax, cpuMillisMax, cpuShare } = bounds;
  if (cpuShare !== undefined)
    write(
      `${cpu}/${isUnified ? "cpu.weight" : "cpu.shares"}`,
      Math.ceil((isUnified ? 100 : 1_024) * cpuShare),
    );
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

export const stepsIn = ({ pids }: Folders): string[] =>
  (attempt(() => readdirSync(pids, { withFileTypes: true })) ?? [])
    .filter((one) => one.isDirectory())
    .map(({ name }) => name);

/** Without a new process none can get away from being ended. */
export function endAll(dir: string): void {
  write(`${dir}/pids.max`, 0);
  const members = (attempt(() => readFileSync(`${dir}/cgroup.procs`, "utf8")) ?? "")
    .split("\n")
    .filter(Boolean);
  for (const pid of members) attempt(() => process.kill(Number(pid), "SIGKILL"));
}

/** Not every kernel counts swap, none lowers a limit below what is in use, and a step may be over by now. */
export const write = (file: string, value: number | string): void =>
  void attempt(() => writeFileSync(file, String(value)));

/** Makes no file where the kernel has none. */
const overwrite = (file: string, value: number): void => writeFileSync(file, String(value), { flag: "r+" });

export function numberIn(file: string, key: string): number {
  const text = attempt(() => readFileSync(file, "utf8")) ?? "";
  return Number(new RegExp(`^${key} (\\d+)$`, "m").exec(text)?.[1] ?? 0);
}

export const wholeNumberIn = (file: string): number => Number(attempt(() => readFileSync(file, "utf8")) ?? 0);

/** What cannot be taken back from a group: not the files it read. */
export const heldBytes = (file: string, isUnified: boolean): number =>
  (isUnified ? ["anon", "shmem"] : ["total_rss", "total_shmem"]).reduce(
    (sum, key) => sum + numberIn(file, key),
    0,
  );

export function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}
