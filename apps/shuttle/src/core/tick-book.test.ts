import { expect, test } from "vitest";
import { aPod } from "../../test/running-pod.ts";
import type { RunningPod } from "./cluster.ts";
import { tickBook } from "./tick-book.ts";

const minuteMs = 60_000;
const eight = Date.parse("2026-11-29T08:00:00Z");
const at = (minutes: number): number => eight + minutes * minuteMs;
const pod = (podId: string, startedAtMs: number | undefined) => aPod({ podId, startedAtMs });
const writtenThrough = (minutes: number) => tickBook(minuteMs, new Date(at(minutes)));
/** What a look at that moment writes down: the minute of each tick, with its pods. */
const look = (book: ReturnType<typeof tickBook>, pods: readonly RunningPod[], nowMs: number) =>
  book.due(pods, nowMs).map((due) => {
    book.wrote(due);
    return [(due.tick.getTime() - eight) / minuteMs, ...due.pods.map(({ podId }) => podId)];
  });

test("a pod is not billed for a tick that passed before it began, and is for the first one after", () => {
  const book = writtenThrough(0);
  const pods = [pod("old", at(-30)), pod("new", at(0) + 1), pod("exact", at(0))];
  expect(look(book, pods, at(0.5))).toEqual([[0, "old", "exact"]]);
  expect(look(book, pods, at(0.9))).toEqual([]);
  expect(look(book, pods, at(1))).toEqual([[1, "old", "new", "exact"]]);
});

test("what was left out is made up for, from what was written down or the pod's start, and for an hour at most", () => {
  const pods = [pod("a", at(-500)), pod("b", at(-2.5))];
  expect(look(writtenThrough(-3), pods, at(0.1))).toEqual([
    [-3, "a"],
    [-2, "a", "b"],
    [-1, "a", "b"],
    [0, "a", "b"],
  ]);
  const long = look(writtenThrough(-299), pods, at(0.1));
  expect([long.length, long[0]]).toEqual([60, [-59, "a"]]);
  const blind = look(tickBook(minuteMs, undefined), pods, at(0.1));
  expect([blind.length, blind[0]]).toEqual([10, [-9, "a"]]);
});

test("after a restart the last tick is taken once more: a pod that was not seen yet when it was written is billed for it", () => {
  const pods = [pod("seen", at(-9)), pod("unseen", at(-0.1)), pod("new", at(0.2))];
  expect(look(writtenThrough(0), pods, at(0.5))).toEqual([[0, "seen", "unseen"]]);
});

test("a pod that was seen late is billed from its start; one whose start nobody knows, from when it was seen", () => {
  const book = writtenThrough(1);
  expect(look(book, [pod("a", at(-9))], at(1))).toEqual([[1, "a"]]);
  expect(look(book, [pod("a", at(-9)), pod("late", at(1.5)), pod("dim", undefined)], at(4))).toEqual([
    [2, "a", "late"],
    [3, "a", "late"],
    [4, "a", "late", "dim"],
  ]);
});

test("what could not be kept is due again", () => {
  const book = writtenThrough(1);
  expect(book.due([pod("a", at(-9))], at(1))).toHaveLength(1);
  expect(look(book, [pod("a", at(-9))], at(2))).toEqual([
    [1, "a"],
    [2, "a"],
  ]);
});

test("a clock that is set back repeats its tick, whose ids are known, and bills on from there", () => {
  const book = writtenThrough(1);
  const pods = [pod("a", at(-9))];
  look(book, pods, at(5));
  expect(look(book, pods, at(3))).toEqual([[3, "a"]]);
  expect(look(book, pods, at(4))).toEqual([[4, "a"]]);
});
