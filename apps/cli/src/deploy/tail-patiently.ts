import { tailLogs, type LogEntry } from "@starform/contract/logs";
import type { CallInput } from "@starform/contract/route";
import { isFault } from "@starform/std/fault";
import { backoffMs, pause } from "@starform/std/retry";
import type { Api } from "../context.ts";
import { paramsOf, type Target } from "../target.ts";

export type TailQuery = Omit<NonNullable<CallInput<typeof tailLogs>["query"]>, "environment">;

const overlapMs = 2_000;

export type TailOptions = {
  readonly signal: AbortSignal;
  /** What was shown before, oldest first: the tail goes on behind it. */
  readonly shown?: readonly LogEntry[];
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
  { signal, shown = [], onEntry, onTrouble }: TailOptions,
): Promise<void> {
  const seen = lastLines();
  for (const entry of shown) seen.add(entry);
  for (let failures = 0; !signal.aborted;) {
    const since = seen.since();
    const resume = since ? { since, limit: 5_000 } : {};
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

/**
 * The lines of the last moments: what a resumed stream says again. It is asked for a little more than is missing, since
 * a line may arrive after one that was written later. Two equal lines of one instant are two lines.
 */
function lastLines() {
  let newestMs = 0;
  const counts = new Map<string, { ms: number; count: number }>();
  const keyOf = ({ ts, instance, stream, message }: LogEntry) =>
    JSON.stringify([ts, instance, stream, message]);
  const forget = () => {
    for (const [key, { ms }] of counts) if (ms < newestMs - overlapMs) counts.delete(key);
  };
  return {
    since: () => (newestMs === 0 ? undefined : new Date(newestMs - overlapMs).toISOString()),
    add(entry: LogEntry) {
      const ms = Date.parse(entry.ts);
      newestMs = Math.max(newestMs, ms);
      counts.set(keyOf(entry), { ms, count: (counts.get(keyOf(entry))?.count ?? 0) + 1 });
      if (counts.size > 20_000) forget();
    },
    /** For one connection: whether a line was shown before it broke. */
    resume() {
      forget();
      const left = new Map([...counts].map(([key, { count }]) => [key, count]));
      return (entry: LogEntry): boolean => {
        const count = left.get(keyOf(entry)) ?? 0;
        if (count > 0) left.set(keyOf(entry), count - 1);
        return count > 0;
      };
    },
  };
}
