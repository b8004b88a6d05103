import { BuildFailed } from "@starform/buildkit/build-failed";
import type { BuildEvent } from "@starform/buildkit/progress";
import { sayDuration } from "@starform/std/duration";
import type { StepEnd } from "../../ports/build-service.ts";
import { BuildStopped, stop } from "../process-builder/build-stopped.ts";
import type { LogSpool } from "../process-builder/log-spool.ts";
import { redactor } from "../process-builder/redact.ts";
import { tookTooLong } from "../process-builder/watch-limits.ts";
import type { BuildJob } from "./running-builds.ts";

/** What a build is watched by while it runs; all that it says is free of secrets. */
export type Watch = {
  /** Fires when the build is cancelled, lost, or has taken too long. */
  readonly signal: AbortSignal;
  readonly onLog: (event: BuildEvent) => void;
  readonly onSent: (sent: { readonly bytes: number }) => void;
  /** Told what is measured while it builds. */
  readonly note: BuildJob["note"];
  readonly say: (text: string) => void;
  /** Hides one more value from now on. */
  readonly hide: (name: string, value: string) => void;
  readonly redact: (text: string) => string;
};

/** Runs a build's work under its time limit. Throws BuildStopped where the customer, or who cancelled it, is the reason. */
export async function watchedBuild<T>(
  { spec, spool, note, signal: cancel }: BuildJob,
  wallClockMs: number,
  work: (watch: Watch) => Promise<T>,
): Promise<T> {
  const hidden = Object.fromEntries(spec.secretNames.map((name) => [name, spec.variables[name] ?? ""]));
  let hiding = redactor(hidden);
  const redact = (text: string): string => hiding(text);
  const late = AbortSignal.timeout(wallClockMs);
  let sentBytes = 0;
  try {
    return await work({
      signal: AbortSignal.any([cancel, late]),
      onLog: (event) => writeEvent(spool, event, redact),
      // A build that is done a second time sends a second time.
      onSent: ({ bytes }) => note({ sentBytes: (sentBytes += bytes) }),
      note,
      say: (text) => spool.line("build", "status", redact(text)),
      hide(name, value) {
        hidden[name] = value;
        hiding = redactor(hidden);
      },
      redact,
    });
  } catch (error) {
    if (cancel.aborted) throw new BuildStopped("cancelled", { isCancelled: true });
    if (late.aborted) throw tookTooLong(wallClockMs);
    if (error instanceof BuildFailed) return stop(redact(reasonOf(error)));
    throw error;
  }
}

/** Steps the builder makes for itself; a person sees them only when they fail. */
const isInternal = (step: string): boolean => /^(\[internal\]|use image|load source)/.test(step);

/** What the builder does with what it has built; it is shown, and no step of the build. */
const isExport = (step: string): boolean => step.startsWith("exporting ");

function writeEvent(
  spool: LogSpool,
  { step, stream, text, cached, durationMs }: BuildEvent,
  redact: (text: string) => string,
): void {
  const shown = redact(step);
  if (stream !== "status") return spool.line(shown, stream, redact(text));
  if (text === "" && isExport(step)) return spool.keeping();
  const isOver = text === "done" || text === "cached";
  if (text === "" || (isInternal(step) && isOver)) return;
  // A step that runs says nothing between its beginning and its end: other words are why it failed.
  const outcome = cached ? "cached" : text === "done" ? "done" : "failed";
  const ended: StepEnd = { outcome, ...(durationMs !== undefined && { durationMs }) };
  const words = outcome === "done" && durationMs !== undefined ? `done in ${sayDuration(durationMs)}` : text;
  spool.line(shown, "status", redact(words), isInternal(step) || isExport(step) ? undefined : ended);
}

/** One sentence, then the end of the output. */
function reasonOf({ message, lastLines }: BuildFailed): string {
  const lines = lastLines.filter((line) => line.trim() !== "").slice(-20);
  return [message, ...lines.map((line) => line.slice(0, 500))].join("\n");
}
