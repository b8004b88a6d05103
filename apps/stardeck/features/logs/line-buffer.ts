import type { LogEntry } from "@starform/contract/logs";

/** A line with a number that grows by one from each line to the next. */
export type Line = LogEntry & { readonly id: number };

export const linesMax = 10_000;
export const linesPerBlock = 100;

const identity = ({ ts, stream, instance, message }: LogEntry): string =>
  JSON.stringify([ts, stream, instance, message]);

/** New lines at the end; what is over the limit falls off the top. */
export function append(lines: readonly Line[], entries: readonly LogEntry[]): readonly Line[] {
  const firstId = (lines.at(-1)?.id ?? -1) + 1;
  const all = [...lines, ...entries.map((entry, at) => ({ ...entry, id: firstId + at }))];
  return all.length > linesMax ? all.slice(-linesMax) : all;
}

/** Older lines before the first; the page may repeat lines of the first's own millisecond. */
export function prepend(lines: readonly Line[], older: readonly LogEntry[]): readonly Line[] {
  const first = lines[0];
  if (!first) return append([], older);
  const known = new Set(lines.filter(({ ts }) => ts === first.ts).map(identity));
  const fresh = older.filter((entry) => !known.has(identity(entry)));
  return [...fresh.map((entry, at) => ({ ...entry, id: first.id - fresh.length + at })), ...lines];
}

/** Tells what a connection that was made again says for the second time. */
export function newsAfter(lines: readonly Line[]): (entry: LogEntry) => boolean {
  const lastTs = lines.at(-1)?.ts;
  if (lastTs === undefined) return () => true;
  const known = new Set(lines.filter(({ ts }) => ts === lastTs).map(identity));
  return (entry) => entry.ts > lastTs || (entry.ts === lastTs && !known.has(identity(entry)));
}

/** The lines in blocks of about a hundred, each of which stays the same while lines come and go elsewhere. */
export function blocksOf(
  lines: readonly Line[],
): readonly { readonly key: number; readonly lines: readonly Line[] }[] {
  const blocks: { key: number; lines: Line[] }[] = [];
  for (const line of lines) {
    const key = Math.floor(line.id / linesPerBlock);
    const last = blocks.at(-1);
    if (last?.key === key) last.lines.push(line);
    else blocks.push({ key, lines: [line] });
  }
  return blocks;
}
