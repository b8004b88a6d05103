import { readFileSync } from "node:fs";

const path = new URL("known-differences.jsonl", import.meta.url);
type Place = { readonly chapter: string; readonly at: number; readonly asked: string };
const keyOf = ({ chapter, at, asked }: Place): string => JSON.stringify([chapter, at, asked]);

/** Requests that the fake is known to answer otherwise; mending one strikes its line. */
export function openKnownDifferences(): { has(place: Place): boolean } {
  const lines = readFileSync(path, "utf8").split("\n").filter(Boolean);
  const known = new Set(lines.map((line) => keyOf(JSON.parse(line) as Place)));
  return { has: (place) => known.has(keyOf(place)) };
}
