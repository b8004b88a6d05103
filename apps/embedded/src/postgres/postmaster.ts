import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { isAlive, signalProcess } from "@starform/std/process";
import { until } from "@starform/std/retry";

/** Whether the server of this cluster says it accepts connections (line 8 of its own pid file). */
export const isPostmasterReady = (dir: string): boolean => readLines(dir)[7]?.trim() === "ready";

/**
 * Ends a server that an earlier, killed platform left on this cluster, and removes a pid file whose process is gone
 * or is by now another program: without that the next start refuses with "lock file already exists".
 */
export async function clearPostmaster(dir: string): Promise<"nothing" | "stopped" | "stale"> {
  const pid = Number(readLines(dir)[0]);
  if (!pid) return "nothing";
  if (!isServerOf(dir, pid)) {
    rmSync(join(dir, "postmaster.pid"), { force: true });
    return "stale";
  }
  signalProcess(pid, "SIGINT");
  await until("the left-over PostgreSQL to stop", () => !isAlive(pid), { withinMs: 15_000 }).catch(() =>
    signalProcess(pid, "SIGQUIT"),
  );
  await until("the left-over PostgreSQL to stop", () => !isAlive(pid), { withinMs: 5_000 });
  rmSync(join(dir, "postmaster.pid"), { force: true });
  return "stopped";
}

function isServerOf(dir: string, pid: number): boolean {
  if (!isAlive(pid)) return false;
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes(dir);
  } catch {
    return process.platform !== "linux";
  }
}

function readLines(dir: string): string[] {
  try {
    return readFileSync(join(dir, "postmaster.pid"), "utf8").split("\n");
  } catch {
    return [];
  }
}
