import { isFieldValue, isToken } from "./characters.ts";
import { Malformed } from "./malformed.ts";

/**
 * Follows a chunked body without changing it. `take` reads from `from` and returns where the body ends in this
 * buffer, or its length if it goes on; `onData` gets the ranges that are content. Malformed on anything but the
 * strict form: hexadecimal size, CRLF, no bare CR or LF, trailers that are header lines and do not name a framing.
 */
export type ChunkedReader = {
  isDone: boolean;
  take(bytes: Buffer, from: number, onData?: (start: number, end: number) => void): number;
};

const lineMax = 8_192;
const trailersMax = 32_768;
const forbiddenTrailers = new Set(["content-length", "transfer-encoding", "host", "trailer", "connection"]);

export function chunkedReader(): ChunkedReader {
  let state: "size" | "data" | "data-end" | "trailers" = "size";
  let left = 0;
  let line = "";
  let trailerBytes = 0;

  /** Takes up to a CRLF; undefined while the line is not whole. */
  const takeLine = (bytes: Buffer, from: number): number | undefined => {
    const lf = bytes.indexOf(10, from);
    const end = lf === -1 ? bytes.length : lf + 1;
    if (line.length + end - from > lineMax) throw new Malformed("a line of the chunked body is too long");
    line += bytes.toString("latin1", from, end);
    if (lf === -1) return undefined;
    if (!line.endsWith("\r\n")) throw new Malformed("a line of the chunked body does not end with CRLF");
    line = line.slice(0, -2);
    return end;
  };

  const endOfLine = (): void => {
    if (state === "size") {
      left = chunkSize(line);
      state = left === 0 ? "trailers" : "data";
    } else if (state === "data-end") {
      if (line !== "") throw new Malformed("a chunk is longer than its size");
      state = "size";
    } else if (line === "") reader.isDone = true;
    else {
      trailerBytes += line.length;
      checkTrailer(line, trailerBytes);
    }
    line = "";
  };

  const reader: ChunkedReader = {
    isDone: false,
    take(bytes, from, onData) {
      let at = from;
      while (at < bytes.length && !reader.isDone) {
        if (state === "data") {
          const end = Math.min(bytes.length, at + left);
          onData?.(at, end);
          left -= end - at;
          at = end;
          if (left === 0) state = "data-end";
          continue;
        }
        // Between a chunk and the next there is nothing but CRLF: saying so at the first byte spares a wait.
        if (state === "data-end" && line === "" && bytes[at] !== 13)
          throw new Malformed("a chunk is longer than its size");
        const next = takeLine(bytes, at);
        if (next === undefined) return bytes.length;
        at = next;
        endOfLine();
      }
      return at;
    },
  };
  return reader;
}

function chunkSize(line: string): number {
  const match = /^([0-9A-Fa-f]{1,12})(?:[\t ]*;[\t\x20-\x7e\x80-\xff]*)?$/.exec(line);
  if (!match) throw new Malformed("a chunk does not begin with its size");
  return Number.parseInt(match[1] ?? "", 16);
}

function checkTrailer(line: string, bytes: number): void {
  const colon = line.indexOf(":");
  if (bytes > trailersMax) throw new Malformed("the trailers are too long", 431);
  if (colon < 1 || !isToken(line, 0, colon) || !isFieldValue(line, colon + 1))
    throw new Malformed("a trailer is not a header line");
  if (forbiddenTrailers.has(line.slice(0, colon).toLowerCase()))
    throw new Malformed("a trailer names a header that must come first");
}
