import { Fault } from "./fault.ts";

const unitsMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Reads `500ms`, `30s`, `10m`, `2h`, `7d` into milliseconds; a Fault `invalid` says what is expected. */
export function durationMs(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text.trim());
  if (!match) throw new Fault("invalid", `"${text}" is not a duration: write it like 30s, 10m, 2h or 7d`);
  return Number(match[1]) * unitsMs[match[2] as keyof typeof unitsMs];
}

/** Says a span in the shortest form a person reads: `0.4 s`, `12 s`, `3 min 5 s`, `2 h 10 min`. */
export function sayDuration(ms: number): string {
  if (ms < 9_950) return `${(ms / 1_000).toFixed(1)} s`;
  const s = Math.round(ms / 1_000);
  if (s < 60) return `${s} s`;
  if (s < 3_600) return `${Math.floor(s / 60)} min${s % 60 ? ` ${s % 60} s` : ""}`;
  return `${Math.floor(s / 3_600)} h ${Math.floor((s % 3_600) / 60)} min`;
}

/** Says what something usually takes, no finer than anybody may rely on: `about 4 s`, `about 40 s`, `about 3 min`. */
export function sayAbout(ms: number): string {
  const s = Math.max(1, Math.round(ms / 1_000));
  if (s < 10) return `about ${s} s`;
  if (s < 58) return `about ${Math.round(s / 5) * 5} s`;
  return s < 3_570 ? `about ${Math.round(s / 60)} min` : `about ${Math.round(s / 3_600)} h`;
}
