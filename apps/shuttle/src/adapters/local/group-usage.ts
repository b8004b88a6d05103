import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { InstanceUsage } from "./engine.ts";

export const groupRoot = "/sys/fs/cgroup";

/** What a control group of version 1 uses, from its directory of either controller; undefined once it is gone. */
export function usageOfGroup1(memoryDir: string, cpuacctDir: string): InstanceUsage | undefined {
  const used = readText(join(memoryDir, "memory.usage_in_bytes"));
  const cpuNs = readText(join(cpuacctDir, "cpuacct.usage"));
  if (used === undefined || cpuNs === undefined) return undefined;
  const idle = valueIn(readText(join(memoryDir, "memory.stat")), "total_inactive_file");
  return { cpuSeconds: Number(cpuNs) / 1e9, memoryWorkingSetBytes: Math.max(0, Number(used) - idle) };
}

/** What a control group of version 2 uses; undefined once it is gone. */
export function usageOfGroup2(dir: string): InstanceUsage | undefined {
  const current = readText(join(dir, "memory.current"));
  if (current === undefined) return undefined;
  const cpuUs = valueIn(readText(join(dir, "cpu.stat")), "usage_usec");
  const idle = valueIn(readText(join(dir, "memory.stat")), "inactive_file");
  return { cpuSeconds: cpuUs / 1e6, memoryWorkingSetBytes: Math.max(0, Number(current) - idle) };
}

/**
 * What the group of a process uses, read from the kernel. `owner` is a word that the group's name must hold, so that
 * the process of another machine is not taken for one of this. Undefined where that group cannot be seen from here.
 */
export function usageOfProcessGroup(pid: number, owner: string): InstanceUsage | undefined {
  const rows = (readText(`/proc/${pid}/cgroup`) ?? "").trim().split("\n");
  const pathOf = (controller: string): string | undefined => {
    const row = rows.find((line) => line.split(":")[1]?.split(",").includes(controller));
    const path = row?.split(":").slice(2).join(":");
    return path?.includes(owner) && !path.includes("..") ? path : undefined;
  };
  const [memory, cpuacct, unified] = [pathOf("memory"), pathOf("cpuacct"), pathOf("")];
  if (memory !== undefined && cpuacct !== undefined)
    return usageOfGroup1(join(groupRoot, "memory", memory), join(groupRoot, "cpuacct", cpuacct));
  return unified === undefined ? undefined : usageOfGroup2(join(groupRoot, unified));
}

export const valueIn = (text: string | undefined, name: string): number =>
  Number(new RegExp(`^${name} (\\d+)`, "m").exec(text ?? "")?.[1] ?? 0);

export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
