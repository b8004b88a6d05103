import { chunkedReader } from "./chunked.ts";
import type { Framing } from "./request-head.ts";

/** Follows a body to its end. `take` returns where the body ends in the buffer; what lies beyond is the next message. */
export type BodyReader = {
  isDone: boolean;
  take(bytes: Buffer, from: number, onData?: (start: number, end: number) => void): number;
};

const empty: BodyReader = { isDone: true, take: (_bytes, from) => from };

export function bodyReader(framing: Framing): BodyReader {
  if (framing.kind === "none") return empty;
  if (framing.kind === "chunked") return chunkedReader();
  return countingReader(framing.kind === "length" ? framing.length : Number.POSITIVE_INFINITY);
}

function countingReader(length: number): BodyReader {
  let left = length;
  const reader: BodyReader = {
    isDone: false,
    take(bytes, from, onData) {
      const end = Math.min(bytes.length, from + left);
      onData?.(from, end);
      left -= end - from;
      if (left === 0) reader.isDone = true;
      return end;
    },
  };
  return reader;
}
