import type { LogLine } from "./log-line.ts";

export interface GapLedger {
  /** Remembers a line that is not sent, to tell the reader of the log about it. */
  add(line: LogLine, reason: string, nowMs: number): void;
  /** Takes a record back that could not be sent itself. */
  addRecord(record: LogLine, nowMs: number): void;
  /** The records of gaps that are `ageMs` old: one per instance and reason, to be sent in the place of the lines. */
  take(nowMs: number, ageMs: number): LogLine[];
  readonly isEmpty: boolean;
}

type Gap = {
  readonly line: LogLine;
  readonly reason: string;
  readonly sinceMs: number;
  count: number;
  from: number;
  to: number;
};

/** Counts what was dropped, so that a hole in a log is always a record and never silence. */
export function gapLedger(): GapLedger {
  const gaps = new Map<string, Gap>();

  const count = (
    line: LogLine,
    reason: string,
    nowMs: number,
    more: { count: number; from: number; to: number },
  ): void => {
    const key = [
      line.projectId,
      line.environment,
      line.serviceId,
      line.instanceId,
      line.buildId,
      reason,
    ].join("/");
    const gap = gaps.get(key);
    if (!gap) {
      gaps.set(key, { line, reason, sinceMs: nowMs, ...more });
      return;
    }
    gap.count += more.count;
    gap.from = Math.min(gap.from, more.from);
    gap.to = Math.max(gap.to, more.to);
  };

  return {
    add: (line, reason, nowMs) =>
      count({ ...line, message: "" }, reason, nowMs, { count: 1, from: line.tsMs, to: line.tsMs }),
    addRecord(record, nowMs) {
      const a = record.attributes as { count: number; from: string; to: string; reason: string };
      count(record, a.reason, nowMs, { count: a.count, from: Date.parse(a.from), to: Date.parse(a.to) });
    },
    take(nowMs, ageMs) {
      const due = [...gaps].filter(([, gap]) => nowMs - gap.sinceMs >= ageMs);
      for (const [key] of due) gaps.delete(key);
      return due.map(([, gap]) => recordOf(gap));
    },
    get isEmpty() {
      return gaps.size === 0;
    },
  };
}

function recordOf({ line, reason, count, from, to }: Gap): LogLine {
  const [first, last] = [timeOf(from), timeOf(to)];
  return {
    ...line,
    tsMs: to,
    level: "warn",
    stream: "system",
    message: `${count} ${count === 1 ? "line was" : "lines were"} dropped between ${first} and ${last}: ${reason}`,
    attributes: { gap: true, count, from: first, to: last, reason },
  };
}

const timeOf = (ms: number): string =>
  new Date(Number.isFinite(ms) ? Math.min(Math.max(ms, 0), 8.64e15) : Date.now()).toISOString();
