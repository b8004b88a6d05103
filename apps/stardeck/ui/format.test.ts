import { expect, test } from "vitest";
import { count, sayDuration, sayRunning, sayValue, sayWhen, shortSha } from "./format.ts";

const now = Date.parse("2026-01-02T12:00:00Z");
const ago = (ms: number) => sayWhen(new Date(now - ms), now);

test("says how long ago something was", () => {
  expect(
    [0, 9_000, 45_000, 61_000, 5_400_000, 3 * 86_400_000, 70 * 86_400_000, 800 * 86_400_000].map(ago),
  ).toEqual(["just now", "just now", "45s ago", "1m ago", "1h ago", "3d ago", "2mo ago", "2y ago"]);
  expect(ago(-3_700_000)).toBe("in 1h");
});

test("says durations a person can read", () => {
  expect([0, 240, 1_394, 59_960, 125_000, 11_520_000].map(sayDuration)).toEqual([
    "0 ms",
    "240 ms",
    "1.4 s",
    "1 min 0 s",
    "2 min 5 s",
    "3 h 12 min",
  ]);
});

test("what is under way counts in whole seconds", () => {
  expect([0, 900, 59_999, 61_200].map(sayRunning)).toEqual(["0 s", "0 s", "59 s", "1 min 1 s"]);
});

test("says values with their unit", () => {
  expect(sayValue(0, "bytes")).toBe("0 B");
  expect(sayValue(0.4, "bytes")).toBe("0 B");
  expect(sayValue(1_536, "bytes/s")).toBe("1.5 KiB/s");
  expect(sayValue(512 * 2 ** 20, "bytes")).toBe("512 MiB");
  expect(sayValue(0.043, "seconds")).toBe("43 ms");
  expect(sayValue(0.0125, "vCPU")).toBe("0.013 vCPU");
  expect(sayValue(250, "requests/s")).toBe("250 requests/s");
  expect(sayValue(30_851.4, "requests/s")).toBe("30,851 requests/s");
  expect(shortSha("sha256:7177bca049b8")).toBe("7177bca");
  expect([count(1, "line"), count(12_000, "line")]).toEqual(["1 line", "12,000 lines"]);
});
