import { existsSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { Played } from "./play.ts";

const path = new URL("recorded.jsonl.gz", import.meta.url);
export type Line = Played & { readonly chapter: string };

/** What a kube-apiserver v1.36.2 answered, chapter by chapter; `record.ts` writes it. */
export function recordedOf(title: string): readonly Played[] {
  if (!existsSync(path)) return [];
  return gunzipSync(readFileSync(path))
    .toString("utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line)
    .filter(({ chapter }) => chapter === title)
    .map(({ asked, answer }) => ({ asked, answer }));
}
