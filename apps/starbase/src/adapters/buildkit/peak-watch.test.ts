import { expect, test } from "vitest";
import { peakWatch } from "./peak-watch.ts";

/** As the kernel has it: the mark stays at the most until it is begun anew. */
function aMark() {
  let mark = 0;
  const use = (bytes: number) => void (mark = Math.max(mark, bytes));
  return { use, peaks: peakWatch({ read: () => mark, reset: () => void (mark = 0) }) };
}

test("one that begins takes nothing from what others have seen", () => {
  const { use, peaks } = aMark();
  using first = peaks.begin();
  use(900);
  using second = peaks.begin();
  expect([first.most(), second.most()]).toEqual([900, 0]);
  use(300);
  using third = peaks.begin();
  expect([first.most(), second.most(), third.most()]).toEqual([900, 300, 0]);
});

test("what was before a watch is not of it, and one that ended is told nothing more", () => {
  const { use, peaks } = aMark();
  use(900);
  const ended = peaks.begin();
  use(100);
  expect(ended.most()).toBe(100);
  ended[Symbol.dispose]();
  use(700);
  using later = peaks.begin();
  expect([ended.most(), later.most()]).toEqual([100, 0]);
});
