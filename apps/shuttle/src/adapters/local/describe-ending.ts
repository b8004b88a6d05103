import { pause } from "@starform/std/retry";
import { reasonOfEnding } from "../../core/reasons.ts";
import type { InstanceExit } from "./engine.ts";
import { label } from "./labels.ts";
import type { LiveInstance } from "./live-instance.ts";

/** How long the last lines of an ended app are waited for. */
const lastWordsMs = 500;

/** Why an instance ended, in a sentence, and the end of what it said. */
export type Ending = { readonly reason: string; readonly lastLines: readonly string[] };

/** With its last words in the sentence where there are some; the log of the app is told of it too. */
export async function describeEnding(
  { instance, pump }: LiveInstance,
  exit: InstanceExit,
  command: string | null,
): Promise<Ending> {
  await Promise.race([pump.done, pause(lastWordsMs)]);
  const context = {
    tier: label(instance.labels, "tier"),
    memoryBytes: Number(label(instance.labels, "memory-bytes")),
    // A clock that was put back in between would make it less than nothing.
    ranForMs: Math.max(0, Date.now() - instance.startedAtMs),
    command: command ?? "the image's own",
    lastLine: pump.lastLine(),
  };
  pump.note(reasonOfEnding(exit, { ...context, isInLog: true }));
  const reason = reasonOfEnding(exit, context);
  return { reason, lastLines: pump.lastLines() };
}
