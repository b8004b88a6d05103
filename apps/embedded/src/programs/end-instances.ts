import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { signalProcess, startTimeOf } from "@starform/std/process";

/**
 * Ends the app processes that Shuttle wrote down and did not come to stop, because it was killed for taking too long:
 * a stop of the platform leaves no process behind, whatever an app's drain time is.
 */
export function endInstances(dataDir: string): number {
  const root = join(dataDir, "shuttle/instances");
  if (!existsSync(root)) return 0;
  const left = readdirSync(root).flatMap((id) => {
    const [pid = "", startTime] = read(join(root, id, "born"))
      .trim()
      .split(" ");
    return pid !== "" && startTimeOf(Number(pid)) === startTime ? [Number(pid)] : [];
  });
  for (const pid of left) signalProcess(-pid, "SIGKILL");
  return left.length;
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
