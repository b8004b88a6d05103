/** What to run. The environment is exactly this one plus the few names every program may see (PATH, HOME, …). */
export type Command = {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Words that must come before everything else, such as the entry into a namespace. */
  readonly prefix?: readonly string[];
  readonly uid?: number;
  readonly gid?: number;
};

/** One supervised process of the platform. */
export type Program = {
  /** Names its log, its pid file and its line in the status. */
  readonly name: string;
  /** Programs that must be ready before this one is started for the first time. */
  readonly after: readonly string[];
  /** Programs it does not need in order to start, but that must not be stopped while it still runs. */
  readonly stopsBefore?: readonly string[];
  /** Runs before every start, the first and each repeat; the signal fires when the program is to be stopped. */
  prepare?(stopping: AbortSignal): Promise<void>;
  readonly command: Command;
  /** One look, cheap, never throwing for "not yet" that it cannot tell from "no". */
  isReady(): Promise<boolean> | boolean;
  readonly stopSignal: NodeJS.Signals;
  /** What the kernel sends it if the supervisor is killed; `stopSignal` if not said. */
  readonly orphanSignal?: NodeJS.Signals;
  /** How long it may take to stop before it is killed. */
  readonly stopWithinMs: number;
  /** Takes away what it made on the machine, after its last stop. */
  cleanUp?(): Promise<void>;
  /** An optional one that does not come up is told and tried again, and does not fail the start. */
  readonly isOptional?: boolean;
};

export type ProgramState = "waiting" | "preparing" | "starting" | "ready" | "backing-off" | "stopped";
export type ProgramStatus = {
  readonly name: string;
  readonly state: ProgramState;
  readonly pid?: number;
  readonly restarts: number;
  /** Why it last ended, in words. */
  readonly lastExit?: string;
};

export type SupervisorEvent =
  | { readonly kind: "ready"; readonly name: string; readonly afterMs: number; readonly isFirst: boolean }
  | { readonly kind: "exited"; readonly name: string; readonly reason: string; readonly againInMs: number };
