export const exitCodes = { failed: 1, usage: 2, interrupted: 130 } as const;

/** Ends the command with an exit code of its own; the message is what the person reads. */
export class ExitError extends Error {
  override readonly name = "ExitError";
  readonly exitCode: number;

  constructor(exitCode: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** The command was typed wrongly, or a question could not be asked. */
export const usageError = (message: string): ExitError => new ExitError(exitCodes.usage, message);
export const interruption = (): ExitError => new ExitError(exitCodes.interrupted, "interrupted");
export const isInterruption = (error: unknown): boolean =>
  error instanceof ExitError && error.exitCode === exitCodes.interrupted;
