import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { isFault, type Fault } from "@starform/std/fault";
import { isAlive, signalProcess } from "@starform/std/process";
import { backoffMs, pause, until, type Backoff } from "@starform/std/retry";
import { removePidFile, writePidFile } from "./pid-file.ts";
import type { Program, ProgramState, ProgramStatus, SupervisorEvent } from "./program.ts";
import { spawnProgram } from "./spawn-program.ts";

export type SuperviseOptions = {
  readonly runDir: string;
  readonly logDir: string;
  onEvent(event: SupervisorEvent): void;
  readonly backoff?: Backoff;
  /** A program that stayed up this long begins again at the first, shortest wait. */
  readonly steadyAfterMs?: number;
};

/** One program kept running until it is stopped. */
export type Supervised = {
  readonly program: Program;
  status(): ProgramStatus;
  /** What its last preparation was refused with. */
  refusal(): Fault | undefined;
  start(): void;
  /** Starts it anew, in order, without waiting. */
  restart(): void;
  /** Resolves when the process and its group are gone. */
  stop(): Promise<void>;
};

export function supervise(program: Program, options: SuperviseOptions): Supervised {
  const { backoff = { firstMs: 100, maxMs: 10_000 }, steadyAfterMs = 30_000 } = options;
  const stopping = new AbortController();
  let state: ProgramState = "waiting";
  let child: ChildProcess | undefined;
  let [restarts, failures, wasReady] = [0, 0, false];
  let isRestart = false;
  let lastExit: string | undefined;
  let refusal: Fault | undefined;
  let running: Promise<void> | undefined;

  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      const startedAt = performance.now();
      lastExit = await runOnce(startedAt).catch((error: Error) => error.message);
      child = undefined;
      removePidFile(options.runDir, program.name);
      if (stopping.signal.aborted || (!wasReady && refusal && !mayHeal(refusal))) break;
      failures = performance.now() - startedAt > steadyAfterMs ? 1 : failures + 1;
      const againInMs = isRestart ? 0 : backoffMs(backoff, failures);
      isRestart = false;
      state = "backing-off";
      restarts++;
      options.onEvent({ kind: "exited", name: program.name, reason: lastExit, againInMs });
      await pause(againInMs, stopping.signal);
    }
    state = "stopped";
  }

  async function runOnce(startedAt: number): Promise<string> {
    state = "preparing";
    await program.prepare?.(stopping.signal).catch((error: unknown) => {
      refusal = isFault(error) ? error : undefined;
      throw error;
    });
    refusal = undefined;
    state = "starting";
    if (stopping.signal.aborted) return "stopped";
    const process = spawnProgram(program, join(options.logDir, `${program.name}.log`));
    child = process;
    const ended = once(process, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
    if (process.pid !== undefined)
      writePidFile(options.runDir, program.name, process.pid, program.stopSignal);
    const over = new AbortController();
    void watchReadiness(over.signal, startedAt);
    try {
      const [code, signal] = await ended;
      return signal ? `was ended by ${signal}` : `exited with code ${code}`;
    } finally {
      over.abort();
      // What the program started dies with it, or its successor would find its ports and files taken.
      if (process.pid !== undefined) signalGroup(process.pid, "SIGKILL");
    }
  }

  async function watchReadiness(over: AbortSignal, startedAt: number): Promise<void> {
    while (!over.aborted) {
      if (
        await Promise.resolve()
          .then(() => program.isReady())
          .catch(() => false)
      )
        break;
      await pause(40, over);
    }
    if (over.aborted || stopping.signal.aborted) return;
    state = "ready";
    options.onEvent({
      kind: "ready",
      name: program.name,
      afterMs: performance.now() - startedAt,
      isFirst: !wasReady,
    });
    wasReady = true;
  }

  async function end(): Promise<void> {
    const pid = child?.pid;
    if (pid === undefined) return;
    signalGroup(pid, program.stopSignal);
    await until(`${program.name} to stop`, () => !isAlive(pid), {
      withinMs: program.stopWithinMs,
      everyMs: 20,
    }).catch(() => signalGroup(pid, "SIGKILL"));
  }

  return {
    program,
    status: () => ({
      name: program.name,
      state,
      restarts,
      ...(child?.pid === undefined ? {} : { pid: child.pid }),
      ...(lastExit === undefined ? {} : { lastExit }),
    }),
    refusal: () => refusal,
    start: () => void (running ??= loop()),
    restart: () => {
      isRestart = true;
      void end();
    },
    async stop() {
      stopping.abort();
      await end();
      await running;
      if (state !== "waiting") await program.cleanUp?.();
      state = "stopped";
    },
  };
}

/** What is not there yet may come; whatever else a preparation is refused with is the same the next time. */
export const mayHeal = (refusal: Fault): boolean => refusal.code === "unavailable";

const signalGroup = (pid: number, signal: NodeJS.Signals): boolean => signalProcess(-pid, signal);
