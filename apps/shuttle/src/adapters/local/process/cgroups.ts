import { existsSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pause } from "@starform/std/retry";
import type { InstanceUsage } from "../engine.ts";
import { groupRoot, readText, usageOfGroup1, usageOfGroup2, valueIn } from "../group-usage.ts";

export type Limits = {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  readonly processesMax: number;
};

/** Limits and counts of a group of processes, over whichever kind of cgroups the machine has. */
export interface Cgroups {
  readonly version: 1 | 2;
  create(id: string, limits: Limits): void;
  /** Files a process writes `0` into to join. */
  joinFiles(id: string): readonly string[];
  /** The group's files and the place where a runtime in the sandbox looks for its own limits. */
  view(id: string): readonly { readonly source: string; readonly target: string }[];
  setCpu(id: string, cpuMillis: number): void;
  pids(id: string): number[];
  usage(id: string): InstanceUsage | undefined;
  wasOom(id: string): boolean;
  /** Needs the group to be empty; waits shortly for what is ending. */
  remove(id: string): Promise<void>;
  /** Removes what is left of the cluster itself. */
  close(): void;
}

const root = groupRoot;
const periodUs = 100_000;

/** Cgroups that can be made here below the name, version 2 first; the reason when there are none. */
export function openCgroups(name: string): Cgroups | { readonly missing: string } {
  for (const open of [version2, version1]) {
    const groups = open(name);
    if (!groups) continue;
    try {
      groups.create("probe", { cpuMillis: 1_000, memoryBytes: 64 << 20, processesMax: 64 });
      return groups;
    } catch {
      // A read-only or foreign hierarchy: the next kind may do.
    } finally {
      void groups.remove("probe");
    }
  }
  return { missing: "this user may not make control groups here" };
}

function version2(name: string): Cgroups | undefined {
  if (!(readText(join(root, "cgroup.controllers")) ?? "").includes("memory")) return undefined;
  const base = join(root, name);
  const dir = (id: string) => join(base, id);
  return {
    version: 2,
    create(id, limits) {
      for (const parent of [root, base]) {
        mkdirSync(parent, { recursive: true });
        writeFileSync(join(parent, "cgroup.subtree_control"), "+memory +cpu +pids");
      }
      mkdirSync(dir(id), { recursive: true });
      writeFileSync(join(dir(id), "memory.max"), String(limits.memoryBytes));
      tryWrite(join(dir(id), "memory.swap.max"), "0");
      writeFileSync(join(dir(id), "pids.max"), String(limits.processesMax));
      this.setCpu(id, limits.cpuMillis);
    },
    joinFiles: (id) => [join(dir(id), "cgroup.procs")],
    view: (id) => [{ source: dir(id), target: root }],
    setCpu: (id, cpuMillis) =>
      writeFileSync(join(dir(id), "cpu.max"), `${cpuMillis * (periodUs / 1_000)} ${periodUs}`),
    pids: (id) => pidsIn(dir(id)),
    usage: (id) => usageOfGroup2(dir(id)),
    wasOom: (id) => valueIn(readText(join(dir(id), "memory.events")), "oom_kill") > 0,
    remove: (id) => removeDirs([dir(id)]),
    close: () => tryRemove(base),
  };
}

const controllers = ["memory", "cpu", "cpuacct", "pids"] as const;

function version1(name: string): Cgroups | undefined {
  if (!controllers.every((controller) => existsSync(join(root, controller, "cgroup.procs"))))
    return undefined;
  const dir = (controller: (typeof controllers)[number], id: string) => join(root, controller, name, id);
  return {
    version: 1,
    create(id, limits) {
      for (const controller of controllers) mkdirSync(dir(controller, id), { recursive: true });
      writeFileSync(join(dir("memory", id), "memory.limit_in_bytes"), String(limits.memoryBytes));
      tryWrite(join(dir("memory", id), "memory.memsw.limit_in_bytes"), String(limits.memoryBytes));
      writeFileSync(join(dir("pids", id), "pids.max"), String(limits.processesMax));
      this.setCpu(id, limits.cpuMillis);
    },
    joinFiles: (id) => controllers.map((controller) => join(dir(controller, id), "cgroup.procs")),
    view: (id) =>
      (["memory", "cpu"] as const).map((controller) => ({
        source: dir(controller, id),
        target: join(root, controller),
      })),
    setCpu(id, cpuMillis) {
      writeFileSync(join(dir("cpu", id), "cpu.cfs_period_us"), String(periodUs));
      writeFileSync(join(dir("cpu", id), "cpu.cfs_quota_us"), String(cpuMillis * (periodUs / 1_000)));
    },
    pids: (id) => pidsIn(dir("pids", id)),
    usage: (id) => usageOfGroup1(dir("memory", id), dir("cpuacct", id)),
    wasOom: (id) => valueIn(readText(join(dir("memory", id), "memory.oom_control")), "oom_kill") > 0,
    remove: (id) => removeDirs(controllers.map((controller) => dir(controller, id))),
    close: () => controllers.forEach((controller) => tryRemove(join(root, controller, name))),
  };
}

const pidsIn = (dir: string): number[] =>
  (readText(join(dir, "cgroup.procs")) ?? "").split("\n").filter(Boolean).map(Number);

/** A group is busy for a moment after its last process ended. */
async function removeDirs(dirs: readonly string[]): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    if (dirs.map(tryRemove).every(Boolean)) return;
    await pause(20);
  }
}

function tryRemove(dir: string): boolean {
  try {
    rmdirSync(dir);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT";
  }
}

function tryWrite(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch {
    // Not every kernel accounts for swap.
  }
}
