import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { holderOf } from "@starform/std/lock";
import { openPlatform } from "@starform/testkit/platform";
import { pause } from "@starform/std/retry";
import { atMost, type Figure } from "./figure.ts";

const targetMib = 1_536;
const settleMs = 15_000;

/** What the whole platform takes when it idles: PSS per process with its children, the supervisor's own, and together. */
export async function run(): Promise<Figure[]> {
  await using platform = await openPlatform();
  await pause(settleMs);
  const children = childrenByParent();
  const supervised = (await platform.processes()).flatMap(({ name, pid }) =>
    pid ? [{ name, mib: withChildren(pid, children).reduce((sum, each) => sum + pssMib(each), 0) }] : [],
  );
  // The process that keeps all of them is none of them, and is there as long.
  const supervisor = holderOf(join(platform.dataDir, "run/lock"));
  if (!supervisor) throw new Error("the platform's supervisor is gone");
  const figures = [...supervised, { name: "the supervisor", mib: pssMib(supervisor.pid) }];
  const together = figures.reduce((sum, { mib }) => sum + mib, 0);
  return [
    ...figures.map(({ name, mib }) => atMost(`memory of ${name}`, mib, "MiB PSS", mib / targetMib, 1)),
    atMost("memory together", together, "MiB PSS", together / targetMib, 1),
  ];
}

function childrenByParent(): Map<number, number[]> {
  const pids = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  return Map.groupBy(pids, (pid) => Number(/^PPid:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0));
}
const withChildren = (pid: number, children: Map<number, number[]>): number[] => [
  pid,
  ...(children.get(pid) ?? []).flatMap((child) => withChildren(child, children)),
];
const pssMib = (pid: number): number =>
  Number(/^Pss:\s+(\d+) kB/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0) / 1_024;

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
