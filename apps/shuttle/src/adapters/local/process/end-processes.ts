import { signalProcess } from "@starform/std/process";
import { pause } from "@starform/std/retry";
import { catchesTerm, membersOf, processTable } from "./process-table.ts";

const shells = new Set(["sh", "bash", "dash"]);
/** npm names itself after what it runs: `npm run start`. On SIGTERM it ends the shell below it, and then itself. */
const isNpm = (name: string): boolean => /^npm\b/.test(name);

/**
 * Asks the app's own processes to end. A shell that only waits for its command is left out, and so is npm: they would
 * end at once and take the sandbox, and with it the command that wants to finish its work.
 */
export function askToEnd(keeper: number): void {
  const members = appProcesses(keeper);
  const parents = new Set(members.map((member) => member.parent));
  const onlyWaits = (pid: number, name: string): boolean =>
    parents.has(pid) && (isNpm(name) || (shells.has(name) && !catchesTerm(pid)));
  for (const { pid, name } of members) if (!onlyWaits(pid, name)) trySignal(pid, "SIGTERM");
}

/** Ends all of an instance at once; resolves when nothing of it is left, the keeper included. */
export async function endNow(
  keeper: number | undefined,
  groupPids: () => readonly number[],
  isKeeperAlive: () => boolean,
): Promise<void> {
  for (let round = 0; round < 500; round++) {
    const pids = new Set([
      ...groupPids(),
      ...(keeper === undefined ? [] : membersOf(keeper).map((member) => member.pid)),
    ]);
    pids.delete(process.pid);
    const isAlive = isKeeperAlive();
    if (pids.size === 0 && !isAlive) return;
    // The keeper ends by itself once it has noted the end of the app.
    if (isAlive && pids.size === 0 && round > 100 && keeper !== undefined) trySignal(keeper, "SIGKILL");
    for (const pid of pids) if (pid !== keeper) trySignal(pid, "SIGKILL");
    await pause(10);
  }
}

/** The processes of the app, without those that hold its sandbox. */
export const appProcesses = (keeper: number, table = processTable()) =>
  membersOf(keeper, table).filter(({ name }) => !["bwrap", "unshare", "setpriv"].includes(name));

function trySignal(pid: number, signal: NodeJS.Signals): void {
  try {
    signalProcess(pid, signal);
  } catch {
    // Not ours to signal: it took the id of one that ended.
  }
}
