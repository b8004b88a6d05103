import { spawn, type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { until } from "@starform/std/retry";
import { describe, expect, onTestFinished, test } from "vitest";
import { openCgroup } from "./cgroup.ts";

const limits = {
  memoryBytesMax: 2 ** 28,
  processesMax: 100,
  cpuMillisMax: availableParallelism() * 1_000,
};

/** Whether groups can be made here, which is root's on Linux. */
function canGroup(): boolean {
  const probe = openCgroup(`probe-${randomUUID()}`, limits);
  void probe?.remove();
  return probe !== undefined;
}

describe.skipIf(!canGroup())("the group of a build", () => {
  test("gives way to one process beside it, though it is busy on every processor", async () => {
    const group = openCgroup(`weight-${randomUUID()}`, limits)!;
    onTestFinished(() => group.remove());
    const builds = Array.from({ length: availableParallelism() }, (_, processor) => aBusyOne(processor));
    for (const { pid } of builds) for (const file of group.joinFiles) writeFileSync(file, String(pid));
    const app = aBusyOne(0);
    await until("both run", () => cpuTicks(app) > 20 && cpuTicks(builds[0]!) > 0);
    const [appThen, buildThen] = [cpuTicks(app), cpuTicks(builds[0]!)];
    await until("the app has had a second of its processor", () => cpuTicks(app) - appThen > 150, {
      withinMs: 50_000,
    });
    expect(cpuTicks(builds[0]!) - buildThen).toBeLessThan((cpuTicks(app) - appThen) / 2);
  });
});

/** A process that does nothing but keep one processor busy. */
function aBusyOne(processor: number): ChildProcess {
  const child = spawn("taskset", ["-c", String(processor), "sh", "-c", "while :; do :; done"]);
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

/** Hundredths of a second of processor time. */
function cpuTicks({ pid }: ChildProcess): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return Number(fields[11]) + Number(fields[12]);
}
