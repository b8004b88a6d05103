import { tailLogs, type LogEntry } from "@starform/contract/logs";
import type { CallInput } from "@starform/contract/route";
import { isFault } from "@starform/std/fault";
import { backoffMs, pause } from "@starform/std/retry";
import type { Api } from "../context.ts";
import { paramsOf, type Target } from "../target.ts";

export type TailQuery = Omit<NonNullable<CallInput<typeof tailLogs>["query"]>, "environment">;

export type TailOptions = {
  readonly signal: AbortSignal;
  onEntry(entry: LogEntry): void;
  /** Told why the connection broke, once until lines come again. */
  onTrouble?(words: string): void;
};

/**
 * The lines of a service as they come, until the signal fires. A connection that breaks is opened again where it
 * ended, with back-off, and no line is shown twice. Rejects only with what no waiting heals.
 */
export async function tailPatiently(
  api: Api,
  target: Target,
  query: TailQuery,
  { signal, onEntry, onTrouble }: TailOptions,
): Promise<void> {
  const seen = lastLines();
  for (let failures = 0; !signal.aborted;) {
    const resume = seen.at() ? { since: seen.at(), limit: 5_000 } : {};
    const input = {
      params: paramsOf(target),
      query: { environment: target.environment, ...query, ...resume },
    };
    const isRepeat = seen.resume();
    try {
      for await (const entry of api.stream(tailLogs, input, { signal })) {
        failures = 0;
        if (isRepeat(entry)) continue;
        seen.add(entry);
        onEntry(entry);
      }
    } catch (error) {
      if (signal.aborted) return;
      if (isFault(error) && !["unavailable", "internal", "rate_limited"].includes(error.code)) throw error;
      if (failures === 0) onTrouble?.((error as Error).message);
    }
    await pause(backoffMs({ firstMs: 200, maxMs: 5_000 }, ++failures), signal);
  }
}

/** The lines of the latest instant: what a resumed stream says again. Two equal lines of one instant are two lines. */
function lastLines() {
  let at: string | undefined;
  let counts = new Map<string, number>();
  const keyOf = ({ instance, stream, message }: LogEntry) => JSON.stringify([instance, stream, message]);
  return {
    at: () => at,
    add(entry: LogEntry) {
      if (at !== undefined && entry.ts < at) return;
      if (entry.ts !== at) [at, counts] = [entry.ts, new Map()];
      counts.set(keyOf(entry), (counts.get(keyOf(entry)) ?? 0) + 1);
    },
    /** For one connection: whether a line was shown before it broke. */
    resume() {
      const [from, left] = [at, new Map(counts)];
      return (entry: LogEntry): boolean => {
        if (from === undefined) return false;
        if (entry.ts < from) return true;
        const count = entry.ts === from ? (left.get(keyOf(entry)) ?? 0) : 0;
        if (count > 0) left.set(keyOf(entry), count - 1);
        return count > 0;
      };
    },
  };
}
