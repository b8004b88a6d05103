import { Malformed } from "./malformed.ts";

const emptyLine = Buffer.from("\r\n\r\n");
const bareEmptyLine = Buffer.from("\n\n");
export const headBytesMax = 32_768;

/**
 * Where the head at the beginning of `bytes` ends (after its empty line), or -1 while it is not whole. Malformed
 * (431) once it is longer than 32 KiB, and (400) when it ends its lines without a CR: waiting would never end.
 */
export function headEnd(bytes: Buffer, from = 0): number {
  const at = bytes.indexOf(emptyLine, from);
  if (at !== -1 && at - from <= headBytesMax) return at + 4;
  if (bytes.length - from > headBytesMax) throw new Malformed("the head is longer than 32 KiB", 431);
  if (bytes.indexOf(bareEmptyLine, from) !== -1) throw new Malformed("lines must end with CRLF");
  return -1;
}

/** Where the first message begins: a client may send empty lines before it (RFC 9112 section 2.2). */
export function skipEmptyLines(bytes: Buffer): number {
  let at = 0;
  while (bytes[at] === 13 && bytes[at + 1] === 10) at += 2;
  return at;
}
