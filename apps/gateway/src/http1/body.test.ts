import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bodyReader } from "./body.ts";
import { Malformed } from "./malformed.ts";
import type { Framing } from "./request-head.ts";

/** Feeds the bytes in these pieces; answers the content, and how many bytes belonged to the body. */
function read(
  framing: Framing,
  pieces: readonly Buffer[],
): { content: Buffer; taken: number; isDone: boolean } {
  const reader = bodyReader(framing);
  const content: Buffer[] = [];
  let taken = 0;
  for (const piece of pieces) {
    if (reader.isDone) break;
    taken += reader.take(piece, 0, (start, end) => void content.push(piece.subarray(start, end)));
  }
  return { content: Buffer.concat(content), taken, isDone: reader.isDone };
}

function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const places = [...new Set(at.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((start, index) => bytes.subarray(start, places[index] ?? bytes.length));
}

const seed = 20_261_129;
const chunked: Framing = { kind: "chunked" };

describe(`a body is found whole however the network cuts it (seed ${seed})`, () => {
  const places = fc.array(fc.nat(5_000), { maxLength: 30 });

  test("in chunks, with extensions and trailers", () => {
    const chunk = fc.tuple(
      fc.uint8Array({ minLength: 1, maxLength: 300 }),
      fc.constantFrom("", ";a=b", ' ; name="v"'),
    );
    const trailers = fc.constantFrom("", "X-Sum: 1\r\n", "A: b\r\nC:\r\n");
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 8 }), trailers, places, (chunks, trailer, at) => {
        const encoded = Buffer.concat([
          ...chunks.flatMap(([data, extension]) => [
            Buffer.from(`${data.length.toString(16)}${extension}\r\n`),
            data,
            Buffer.from("\r\n"),
          ]),
          Buffer.from(`0\r\n${trailer}\r\n`),
        ]);
        const withNext = Buffer.concat([encoded, Buffer.from("GET /next HTTP/1.1\r\n")]);
        const seen = read(chunked, cut(withNext, at));
        expect(seen.isDone).toBe(true);
        expect(seen.taken).toBe(encoded.length);
        expect(seen.content.equals(Buffer.concat(chunks.map(([data]) => data)))).toBe(true);
      }),
      { seed, numRuns: 500 },
    );
  });

  test("by its length", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 2_000 }),
        fc.nat(50),
        places,
        (data, extra, at) => {
          const bytes = Buffer.concat([data, Buffer.alloc(extra)]);
          const seen = read({ kind: "length", length: data.length }, cut(bytes, at));
          expect([seen.isDone, seen.taken, seen.content.equals(data)]).toEqual([true, data.length, true]);
        },
      ),
      { seed, numRuns: 300 },
    );
  });

  test("random bytes end in Malformed or wait for more, never in another error", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("0", "5", "\r\n", "\n", "\r", ";", "a", "hello", " "), { maxLength: 20 }),
        (pieces) => {
          try {
            read(
              chunked,
              pieces.map((piece) => Buffer.from(piece)),
            );
          } catch (error) {
            if (!(error instanceof Malformed)) throw error;
          }
        },
      ),
      { seed, numRuns: 1_000 },
    );
  });
});

test.each([
  ["a size with a sign", "+5\r\nhello\r\n0\r\n\r\n"],
  ["a size with a prefix", "0x5\r\nhello\r\n0\r\n\r\n"],
  ["a size with a space before it", " 5\r\nhello\r\n0\r\n\r\n"],
  ["a size that ends with LF alone", "5\nhello\r\n0\r\n\r\n"],
  ["a chunk longer than its size", "4\r\nhello\r\n0\r\n\r\n"],
  ["a chunk that LF alone ends", "5\r\nhello\n0\r\n\r\n"],
  ["a CR within an extension", "5;a\rb\r\nhello\r\n0\r\n\r\n"],
  ["no size", "\r\nhello\r\n0\r\n\r\n"],
  ["a size beyond exact numbers", "fffffffffffffffff\r\n"],
  ["a trailer that names a length", "0\r\nContent-Length: 5\r\n\r\n"],
  ["a trailer that is no header line", "0\r\nnonsense\r\n\r\n"],
  ["an endless extension", `5;${"a".repeat(10_000)}\r\nhello\r\n0\r\n\r\n`],
])("a chunked body is refused with %s", (_, text) => {
  expect(() => read(chunked, [Buffer.from(text)])).toThrow(Malformed);
});
