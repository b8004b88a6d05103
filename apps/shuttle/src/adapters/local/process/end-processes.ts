import { isAlive, signalProcess } from "@starform/std/process";
import { pause } from "@starform/std/retry";
import { idler, momentMs, onlyWaits } from "../../../core/who-hears-sigterm.ts";
import { membersOf, mindsTerm, processTable, wordsOf, type ProcessEntry } from "./process-table.ts";

/**
 * Asks the app to end, past those that only wait for it: they would end at once and take the sandbox, and with it the
 * command that wants to finish its work. Once the app has ended they have a moment; then they are held still, what they
 * have begun meanwhile is asked, and then they are. Resolves when nothing runs any more or the deadline (of
 * `performance.now`) has come.
 */
export async function askToEnd(
  keeper: number,
  isKeeperAlive: () => boolean,
  deadlineMs: number,
): Promise<void> {
  const ask = (pids: readonly number[]): void => {
    for (const pid of pids) trySignal(pid, "SIGTERM");
    for (const pid of pids) trySignal(pid, "SIGCONT");
  };
  const askAndWait = async (pids: readonly number[]): Promise<void> => {
    ask(pids);
    await whileTrue(() => isKeeperAlive() && pids.some(isAlive), deadlineMs);
  };
  const first = look(keeper);
  if (!first.idles) {
    await askAndWait(first.app);
    await whileTrue(isKeeperAlive, Math.min(deadlineMs, performance.now() + momentMs));
  }
  if (!isKeeperAlive() || performance.now() >= deadlineMs) return;
  for (const pid of look(keeper).between) trySignal(pid, "SIGSTOP");
  const rest = look(keeper);
  await askAndWait(rest.app);
  ask(rest.between);
  await whileTrue(isKeeperAlive, deadlineMs);
}

type Looked = {
  /** The first processes of an instance that are the app's own, from the top. */
  readonly app: readonly number[];
  /** Those above them. */
  readonly between: readonly number[];
  /** Those above wait for nothing but time. */
  readonly idles: boolean;
};

function look(keeper: number): Looked {
  const members = appProcesses(keeper);
  const below = Map.groupBy(members, ({ parent }) => parent);
  const pids = new Set(members.map(({ pid }) => pid));
  const [app, between]: [ProcessEntry[], ProcessEntry[]] = [[], []];
  const visit = (entry: ProcessEntry): void => {
    const { pid, name } = entry;
    const children = below.get(pid) ?? [];
    const isBetween =
      children.length > 0 && onlyWaits({ name, words: wordsOf(pid), mindsTerm: mindsTerm(pid) });
    (isBetween ? between : app).push(entry);
    if (isBetween) children.forEach(visit);
  };
  members.filter(({ parent }) => !pids.has(parent)).forEach(visit);
  return {
    app: app.map(({ pid }) => pid),
    between: between.map(({ pid }) => pid),
    idles: between.length > 0 && app.every(({ name }) => name === idler),
  };
}

async function whileTrue(condition: () => boolean, deadlineMs: number): Promise<void> {
  while (performance.now() < deadlineMs && condition()) await pause(20);
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
