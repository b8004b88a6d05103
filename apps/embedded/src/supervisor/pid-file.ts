import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isAlive, signalProcess, startTimeOf } from "@starform/std/process";
import { until } from "@starform/std/retry";

/** What is stored of a started program, so that a later platform can tell it from a stranger with the same id. */
type Record = { readonly pid: number; readonly startTime: string; readonly stopSignal: NodeJS.Signals };

const fileOf = (runDir: string, name: string) => join(runDir, `${name}.pid`);

export function writePidFile(runDir: string, name: string, pid: number, stopSignal: NodeJS.Signals): void {
  const record: Record = { pid, startTime: startTimeOf(pid) ?? "", stopSignal };
  writeFileSync(fileOf(runDir, name), JSON.stringify(record), { mode: 0o600 });
}

export const removePidFile = (runDir: string, name: string): void =>
  rmSync(fileOf(runDir, name), { force: true });

/**
 * Stops what an earlier platform of this data directory left running when it was killed, and says what that was.
 * A process that merely has the same id is left alone.
 */
export async function stopLeftOvers(runDir: string, withinMs = 15_000): Promise<string[]> {
  const names = readdirSync(runDir).flatMap((file) => (file.endsWith(".pid") ? [file.slice(0, -4)] : []));
  const stopped = await Promise.all(names.map((name) => stopLeftOver(runDir, name, withinMs)));
  return names.filter((_, i) => stopped[i]);
}

async function stopLeftOver(runDir: string, name: string, withinMs: number): Promise<boolean> {
  const record = read(fileOf(runDir, name));
  const isOurs =
    record !== undefined && record.startTime !== "" && startTimeOf(record.pid) === record.startTime;
  if (isOurs) {
    const gone = () => !isAlive(record.pid);
    signalProcess(-record.pid, record.stopSignal);
    await until(`${name} to stop`, gone, { withinMs }).catch(() => signalProcess(-record.pid, "SIGKILL"));
    await until(`${name} to stop`, gone, { withinMs });
  }
  removePidFile(runDir, name);
  return isOurs;
}

function read(path: string): Record | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Record;
  } catch {
    return undefined;
  }
}
