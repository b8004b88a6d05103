import type { FailedStep } from "./progress.ts";

/** A build that ended because of what was built: a step failed, a file is missing, an image cannot be had. */
export class BuildFailed extends Error {
  override readonly name = "BuildFailed";
  /** As shown in progress; absent when the build did not get as far as a step. */
  readonly step: string | undefined;
  readonly exitCode: number | undefined;
  /** The last lines the step printed, oldest first. */
  readonly lastLines: readonly string[];

  constructor(
    message: string,
    options: { step?: string; exitCode?: number; lastLines?: readonly string[]; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.step = options.step;
    this.exitCode = options.exitCode;
    this.lastLines = options.lastLines ?? [];
  }
}

/** Puts together what the builder said of the failure and what the step printed. */
export function buildFailure(cause: Error, failed: FailedStep | undefined): BuildFailed {
  const exitCode = exitCodeOf(failed?.error ?? cause.message);
  if (!failed)
    return new BuildFailed(plain(cause.message), { cause, ...(exitCode !== undefined && { exitCode }) });
  const image = /load metadata for (\S+)/.exec(failed.step)?.[1];
  if (image !== undefined)
    return new BuildFailed(`the image ${image} cannot be fetched: ${plain(failed.error)}`, {
      cause,
      step: failed.step,
    });
  const why =
    exitCode === undefined ? plain(failed.error) : `it ended with exit code ${exitCode}${hintFor(exitCode)}`;
  return new BuildFailed(`the step "${failed.step}" failed: ${why}`, {
    cause,
    step: failed.step,
    lastLines: failed.lastLines,
    ...(exitCode !== undefined && { exitCode }),
  });
}

function exitCodeOf(text: string): number | undefined {
  const code = /exit code: (\d+)/.exec(text)?.[1];
  return code === undefined ? undefined : Number(code);
}

const hints: Readonly<Record<number, string>> = {
  126: " (the command was found but may not be run)",
  127: " (a command was not found)",
  137: " (it was killed, most likely for using too much memory)",
};
const hintFor = (exitCode: number): string => hints[exitCode] ?? "";

/** Without the layers of wrapping that a builder puts around its errors. */
const plain = (text: string): string =>
  text.replace(
    /^(failed to solve with frontend [\w.]+: |failed to solve: |rpc error: code = \w+ desc = |failed to build LLB: )+/,
    "",
  );
