import { batchNames, type Batch } from "./disk-buffer.ts";
import { gapLedger } from "./gap-ledger.ts";
import { lineBudget, type LineBudgetOptions } from "./line-budget.ts";
import { lineOf, rowOf, type LogLine } from "./log-line.ts";

export const batchLinesMax = 10_000;
const [batchBytesMax, memoryBytesMax] = [4 << 20, 64 << 20];

export interface LineQueue {
  /** Takes the line, or counts it as dropped and returns the reason. */
  add(line: LogLine): string | undefined;
  /** The oldest lines that go together; undefined when none wait. */
  take(): Batch | undefined;
  /** Counts the lines of a batch that can be kept nowhere. */
  drop(batch: Batch, reason: string): void;
  /** Lets records of gaps that are `ageMs` old wait with the lines. */
  tellGaps(ageMs: number): void;
  readonly length: number;
  readonly bytes: number;
  readonly hasGaps: boolean;
  readonly dropped: number;
  /** How many rows were ever taken in: with the batches' sizes this says how far the queue has come. */
  readonly accepted: number;
}

/** The lines in memory, bounded per service by the budget and together by bytes; everything over becomes a gap. */
export function lineQueue(now: () => number, budgetOptions: LineBudgetOptions | undefined): LineQueue {
  const [budget, gaps, nextName] = [lineBudget(budgetOptions), gapLedger(), batchNames(now)];
  let rows: string[] = [];
  let [bytes, dropped, accepted] = [0, 0, 0];

  const enqueue = (row: string): void => {
    rows.push(row);
    bytes += row.length;
    accepted += 1;
  };
  const refuse = (line: LogLine, reason: string): string => {
    dropped += 1;
    gaps.add(line, reason, now());
    return reason;
  };

  return {
    add(line) {
      try {
        if (!budget.allows(`${line.projectId}/${line.environment}/${line.serviceId}`, line.level, now()))
          return refuse(line, "the service writes more lines than its budget allows");
        if (bytes > memoryBytesMax) return refuse(line, "lines come faster than the log store takes them");
        enqueue(rowOf(line));
        return undefined;
      } catch (error) {
        return refuse(line, `the line cannot be read (${String(error)})`);
      }
    },
    take() {
      if (rows.length === 0) return undefined;
      let [count, size] = [0, 0];
      while (count < rows.length && count < batchLinesMax && size < batchBytesMax)
        size += rows[count++]!.length;
      const taken = rows.slice(0, count);
      rows = rows.slice(count);
      bytes -= size;
      return { ...nextName(), rows: `${taken.join("\n")}\n`, lines: count };
    },
    drop(batch, reason) {
      for (const row of batch.rows.split("\n")) {
        if (row === "") continue;
        const line = lineOf(row);
        // A record of a gap that is dropped itself goes back as what it stands for.
        if (line.attributes?.gap === true) gaps.addRecord(line, now());
        else refuse(line, reason);
      }
    },
    tellGaps(ageMs) {
      for (const record of gaps.take(now(), ageMs)) enqueue(rowOf(record));
    },
    get length() {
      return rows.length;
    },
    get bytes() {
      return bytes;
    },
    get hasGaps() {
      return !gaps.isEmpty;
    },
    get dropped() {
      return dropped;
    },
    get accepted() {
      return accepted;
    },
  };
}
