import type { SourceLimits } from "@starform/contract/source-limits";

/** Where text goes. `columns` is undefined where nobody looks (a pipe, a file). */
export type Sink = {
  readonly isTerminal: boolean;
  readonly columns: number | undefined;
  write(text: string): void;
};

export type ProgramResult = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** Everything a command touches of the machine: the process hands in the real one, a test its own. */
export type Host = {
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly isInputTerminal: boolean;
  /** All of standard input. */
  readInput(): Promise<string>;
  /** One line typed by a person; with `isSecret` it is not shown. Only where `isInputTerminal`. */
  ask(question: string, options?: { isSecret?: boolean }): Promise<string>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly homeDir: string;
  readonly cwd: string;
  readonly machineName: string;
  /** The clone of Starform that this program runs from; undefined for a bundle. */
  readonly cloneDir: string | undefined;
  /** The words that start this very program again, for Git's credential helper. */
  readonly self: readonly string[];
  /** As much as is sent of a folder. */
  readonly sourceLimits: SourceLimits;
  /** Fires on Ctrl-C. */
  readonly interrupted: AbortSignal;
  now(): Date;
  run(program: string, args: readonly string[], options?: { cwd?: string }): Promise<ProgramResult>;
  /** Opens a browser; false where there is none. */
  openUrl(url: string): Promise<boolean>;
};
