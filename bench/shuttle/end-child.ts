import type { ChildProcess } from "node:child_process";
import { once } from "node:events";

/** Ends a process as an operator would, and by force if it does not. */
export async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const over = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 20_000);
  await over;
  clearTimeout(timer);
}
