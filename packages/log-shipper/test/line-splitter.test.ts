import * as fc from "fast-check";
import { expect, test } from "vitest";
import { messageBytesMax } from "../src/log-line.ts";
import { levelOf, lineSplitter } from "../src/line-splitter.ts";

const linesOf = (...chunks: Uint8Array[]): string[] => {
  const lines: string[] = [];
  const splitter = lineSplitter((line) => lines.push(line));
  for (const chunk of chunks) splitter.write(chunk);
  splitter.end();
  return lines;
};

test("gives the same lines however the bytes are cut", () => {
  const text = fc
    .array(fc.string({ unit: "grapheme" }).map((line) => line.replace(/[\r\n]/g, "")))
    .map((lines) => lines.concat("end"));
  fc.assert(
    fc.property(text, fc.array(fc.nat(500)), (lines, cuts) => {
      const bytes = Buffer.from(lines.join("\n"));
      const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
      expect(linesOf(...at.slice(1).map((end, i) => bytes.subarray(at[i], end)))).toEqual(lines);
    }),
    { numRuns: 200 },
  );
});

test("takes CRLF as an end, keeps what a progress bar shows last, and mends broken bytes", () => {
  expect(linesOf(Buffer.from("a\r\nb\r"), Buffer.from("\n10%\r100%\n\nlast"))).toEqual([
    "a",
    "b",
    "100%",
    "",
    "last",
  ]);
  expect(linesOf(Buffer.from([0x61, 0xff, 0x62, 0x0a, 0xe2, 0x82]))).toEqual(["a\uFFFDb", "\uFFFD"]);
});

test("a stream without newlines is handed on in pieces", () => {
  const pieces = linesOf(...Array.from({ length: 50 }, () => Buffer.alloc(10_000, "x")));
  expect(pieces.join("")).toHaveLength(500_000);
  expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThanOrEqual(2 * messageBytesMax);
});

test.each([
  ['{"level":"warn","msg":"x"}', "warn"],
  ['{"level":50,"msg":"x"}', "error"],
  ['{"severity":"DEBUG"}', "debug"],
  ["2026-01-01T00:00:00Z ERROR cannot connect", "error"],
  ["[warn] slow query", "warn"],
  ['time=1 level=error msg="x"', "error"],
  ["TypeError: x is not a function", "error"],
  ["npm warn deprecated", "warn"],
  ["GET /errors 200", "info"],
  ["no-error-here", "info"],
  ["{broken json", "info"],
])("reads the level that %s states", (line, level) => expect(levelOf(line)).toBe(level));
