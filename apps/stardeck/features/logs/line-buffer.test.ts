import type { LogEntry } from "@starform/contract/logs";
import { expect, test } from "vitest";
import { append, blocksOf, linesMax, newsAfter, prepend } from "./line-buffer.ts";

const entry = (n: number, message = `line ${n}`): LogEntry => ({
  ts: new Date(1_700_000_000_000 + n).toISOString(),
  service: "web",
  level: "info",
  stream: "stdout",
  message,
  instance: "web-1",
  deploymentId: null,
  buildId: null,
  attributes: null,
});
const entries = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => entry(from + at));
const messages = (lines: readonly LogEntry[]) => lines.map(({ message }) => message);

test("keeps the newest lines and numbers them without a gap", () => {
  const lines = append(append([], entries(0, 9_990)), entries(9_990, 10_020));
  expect(lines).toHaveLength(linesMax);
  expect([lines[0]?.message, lines.at(-1)?.message]).toEqual(["line 20", "line 10019"]);
  expect(lines.at(-1)!.id - lines[0]!.id).toBe(linesMax - 1);
});

test("older lines go before, and those of the same millisecond are not shown twice", () => {
  const lines = append([], [entry(5, "b"), entry(6)]);
  expect(messages(prepend(lines, [entry(4), entry(5, "a"), entry(5, "b")]))).toEqual([
    "line 4",
    "a",
    "b",
    "line 6",
  ]);
});

test("a new connection repeats nothing and loses nothing", () => {
  const isNews = newsAfter(append([], [entry(1), entry(2, "a")]));
  expect(messages([entry(1), entry(2, "a"), entry(2, "b"), entry(3)].filter(isNews))).toEqual([
    "b",
    "line 3",
  ]);
});

test("blocks keep their key when lines fall off the top", () => {
  const keys = (n: number) =>
    blocksOf(append(append([], entries(0, linesMax)), entries(linesMax, linesMax + n))).map(({ key }) => key);
  expect(keys(0)).toHaveLength(100);
  expect(keys(50).slice(0, 100)).toEqual(keys(0));
});
