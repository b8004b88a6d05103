import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "@starform/std/fault";
import { pause } from "@starform/std/retry";
import { rotate } from "./log-file.ts";
import type { Program, ProgramStatus } from "./program.ts";
import { mayHeal, supervise, type Supervised, type SuperviseOptions } from "./supervise.ts";

export type Supervisor = AsyncDisposable & {
  /**
   * Starts every program as soon as those it comes after are ready, and resolves when all that are not optional are.
   * Rejects with a Fault that quotes the program's own last words if one does not come up in time or keeps ending,
   * and with what its preparation was refused with: at once if that cannot heal, else after as many attempts.
   */
  start(options?: { withinMs?: number; attemptsMax?: number; signal?: AbortSignal }): Promise<void>;
  status(): ProgramStatus[];
  restart(name: string): void;
  /** Stops in the reverse order: a program goes when all that came after it are gone. */
  stop(): Promise<void>;
};

export function openSupervisor(programs: readonly Program[], options: SuperviseOptions): Supervisor {
  const all = new Map(programs.map((program) => [program.name, supervise(program, options)]));
  const rotation = setInterval(() => void rotateAll(options.logDir, programs), 5_000).unref();
  let stopping: Promise<void> | undefined;

  const stop = () => (stopping ??= stopInOrder(all).finally(() => clearInterval(rotation)));

  return {
    async start({ withinMs = 60_000, attemptsMax = 5, signal } = {}) {
      const started = new Map<string, Promise<void>>();
      const startOne = (name: string): Promise<void> => {
        const one = all.get(name);
        if (!one) return Promise.reject(new Error(`no program is called ${name}`));
        const known = started.get(name);
        if (known) return known;
        const ready = Promise.all(one.program.after.filter((n) => all.has(n)).map(startOne)).then(
          async () => {
            if (stopping || signal?.aborted) throw new Fault("unavailable", "the start was interrupted");
            one.start();
            await untilReady(one, {
              withinMs,
              attemptsMax,
              logDir: options.logDir,
              isOver: () => stopping !== undefined || signal?.aborted === true,
            });
          },
        );
        const settled = one.program.isOptional ? ready.catch(() => undefined) : ready;
        started.set(name, settled);
        return settled;
      };
      await Promise.all([...all.keys()].map(startOne));
    },
    status: () => [...all.values()].map((one) => one.status()),
    restart: (name) => all.get(name)?.restart(),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

type Limits = { withinMs: number; attemptsMax: number; logDir: string; isOver(): boolean };

/** The time it takes to prepare (to build, to make a database) is not counted. */
async function untilReady(one: Supervised, limits: Limits): Promise<void> {
  const { name, isOptional } = one.program;
  const attemptsMax = isOptional ? 2 : limits.attemptsMax;
  const wentWrong = (what: string) =>
    new Fault("unavailable", `${name} ${what}. Its last words:\n${lastWords(limits.logDir, name)}`);
  for (let deadline = performance.now() + limits.withinMs; ; await pause(20)) {
    const { state, restarts, lastExit } = one.status();
    if (state === "ready") return;
    if (limits.isOver()) throw new Fault("unavailable", "the start was interrupted");
    const refusal = one.refusal();
    if (refusal && (restarts >= attemptsMax || !mayHeal(refusal))) throw refusal;
    if (restarts >= attemptsMax) throw wentWrong(`does not stay up: it ${lastExit}`);
    if (state === "preparing") deadline = performance.now() + limits.withinMs;
    else if (performance.now() > deadline)
      throw wentWrong(`was not ready after ${limits.withinMs / 1_000} s`);
  }
}

async function stopInOrder(all: Map<string, Supervised>): Promise<void> {
  const gone = new Map<string, Promise<void>>();
  const stopOne = (one: Supervised): Promise<void> => {
    const known = gone.get(one.program.name);
    if (known) return known;
    const later = [...all.values()].filter(({ program }) =>
      [...program.after, ...(program.stopsBefore ?? [])].includes(one.program.name),
    );
    const promise = Promise.all(later.map(stopOne)).then(() => one.stop());
    gone.set(one.program.name, promise);
    return promise;
  };
  await Promise.all([...all.values()].map(stopOne));
}

const rotateAll = (logDir: string, programs: readonly Program[]) =>
  Promise.all(programs.map(({ name }) => rotate(join(logDir, `${name}.log`)).catch(() => false)));

/** The end of a program's log: what it said before it ended. */
function lastWords(logDir: string, name: string, lines = 25): string {
  try {
    return readFileSync(join(logDir, `${name}.log`), "utf8")
      .trimEnd()
      .split("\n")
      .slice(-lines)
      .map((line) => `  ${line}`)
      .join("\n");
  } catch {
    return "  (nothing)";
  }
}
