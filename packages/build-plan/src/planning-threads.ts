import { Worker } from "node:worker_threads";

export type ThreadLimits = {
  /** Of the thread's own processor time, for one task. */
  readonly cpuMsMax: number;
  /** By the clock, which runs on while the thread waits for its disk or for a processor. */
  readonly wallMsMax: number;
  /** What the thread's heap may grow to. */
  readonly heapMbMax: number;
};

export type ThreadEnd<T> =
  | { readonly kind: "done"; readonly value: T }
  /** It was ended at a limit; `lastRead` is the file that was looked into last, if one was. */
  | { readonly kind: "stopped"; readonly limit: "time" | "memory"; readonly lastRead: string | undefined };

/** What a thread of tasks says: first that it is ready, then of each task what it reads and how it ended. */
export type ThreadMessage =
  | { readonly kind: "ready" }
  | { readonly kind: "reading"; readonly file: string }
  | { readonly kind: "done"; readonly value: unknown }
  | { readonly kind: "failed"; readonly error: unknown };

export type RunTask<Task> = <T>(task: Task, signal?: AbortSignal) => Promise<ThreadEnd<T>>;

const lookMs = 50;

/**
 * Runs tasks in threads of their own, within limits that hold whatever the task does: the caller's event loop turns
 * meanwhile. A thread takes one task at a time; one that is done is kept for the next, and keeps no process alive.
 *
 * Rejects with the signal's reason when that fires, and with the task's own error where it throws.
 */
export function planningThreads<Task>(entry: URL, limits: ThreadLimits): RunTask<Task> {
  let idle: Worker | undefined;
  return async (task, signal) => {
    signal?.throwIfAborted();
    const thread = idle ?? startThread(entry, limits).once("exit", () => forget());
    const forget = () => (idle = idle === thread ? undefined : idle);
    idle = undefined;
    thread.ref();
    const end = await runIn(thread, task, { ...limits, signal }).catch(async (error: unknown) => {
      await thread.terminate();
      throw error;
    });
    thread.unref();
    if (end.kind === "stopped" || idle) await thread.terminate();
    else idle = thread;
    return end as ThreadEnd<never>;
  };
}

const ready = new WeakSet<Worker>();

/** Of the environment and of the program's own arguments it is told nothing: a plan depends on neither. */
function startThread(entry: URL, { heapMbMax }: ThreadLimits): Worker {
  const resourceLimits = { maxOldGenerationSizeMb: heapMbMax };
  // What ends a thread that nobody waits for is nobody's; who waits listens too.
  return new Worker(entry, { env: {}, execArgv: [], resourceLimits }).on("error", () => undefined);
}

type Run = ThreadLimits & { readonly signal: AbortSignal | undefined };

function runIn(thread: Worker, task: unknown, { signal, ...limits }: Run): Promise<ThreadEnd<unknown>> {
  const { promise, resolve, reject } = Promise.withResolvers<ThreadEnd<unknown>>();
  let lastRead: string | undefined;
  let unwatch = (): void => undefined;
  const stop = (limit: "time" | "memory") => resolve({ kind: "stopped", limit, lastRead });
  const begin = () => {
    ready.add(thread);
    thread.postMessage(task, []);
    unwatch = watchTime(thread, limits, () => stop("time"));
  };
  const onMessage = (message: ThreadMessage) => {
    if (message.kind === "ready") begin();
    else if (message.kind === "reading") lastRead = message.file;
    else if (message.kind === "done") resolve({ kind: "done", value: message.value });
    else reject(message.error);
  };
  const onError = (error: NodeJS.ErrnoException) =>
    error.code === "ERR_WORKER_OUT_OF_MEMORY" ? stop("memory") : reject(error);
  const onExit = (code: number) => reject(new Error(`the planner's thread ended with ${code}`));
  const onAbort = () => reject(signal!.reason);
  thread.on("message", onMessage).on("error", onError).on("exit", onExit);
  signal?.addEventListener("abort", onAbort);
  if (ready.has(thread)) begin();
  return promise.finally(() => {
    unwatch();
    thread.off("message", onMessage).off("error", onError).off("exit", onExit);
    signal?.removeEventListener("abort", onAbort);
  });
}

/** Looks at the thread's time from outside, because a thread that is busy looks at nothing. */
function watchTime(thread: Worker, { cpuMsMax, wallMsMax }: ThreadLimits, onOver: () => void): () => void {
  const wall = setTimeout(onOver, wallMsMax);
  let [timer, beganMs] = [undefined as NodeJS.Timeout | undefined, undefined as number | undefined];
  let isOver = false;
  const look = async () => {
    const usedMs = await cpuMsOf(thread);
    if (isOver) return;
    beganMs ??= usedMs;
    if (usedMs !== undefined && beganMs !== undefined && usedMs - beganMs > cpuMsMax) return onOver();
    timer = setTimeout(() => void look(), lookMs);
  };
  void look();
  return () => {
    isOver = true;
    clearTimeout(wall);
    clearTimeout(timer);
  };
}

/** Undefined of a thread that is about to end. */
const cpuMsOf = (thread: Worker): Promise<number | undefined> =>
  thread.cpuUsage().then(
    ({ user, system }) => (user + system) / 1_000,
    () => undefined,
  );
