import { isFieldValue } from "./characters.ts";
import { type Fields, listOf, parseFields } from "./fields.ts";
import { Malformed } from "./malformed.ts";
import { contentLength, type Framing, noBody } from "./request-head.ts";

export type ResponseHead = {
  readonly status: number;
  readonly reason: string;
  readonly fields: Fields;
  readonly framing: Framing;
  readonly keepAlive: boolean;
  readonly connection: readonly string[];
};

const nothing: readonly string[] = [];
const [zero, one, space] = [48, 49, 32];

/** Reads a whole response head. `isHead` because the answer to HEAD names a length and has no body. Refuses with Malformed. */
export function parseResponseHead(text: string, isHead: boolean): ResponseHead {
  const lineEnd = text.indexOf("\r\n");
  const status = statusOf(text, lineEnd);
  const fields = parseFields(text, lineEnd + 2);
  const connection = fields.names.includes("connection") ? listOf(fields, "connection") : nothing;
  const framing = responseFraming(fields, status, isHead);
  const persists =
    text.charCodeAt(7) === one ? !connection.includes("close") : connection.includes("keep-alive");
  return {
    status,
    reason: text.slice(Math.min(13, lineEnd), lineEnd),
    fields,
    framing,
    connection,
    keepAlive: persists && framing.kind !== "close",
  };
}

function responseFraming(fields: Fields, status: number, isHead: boolean): Framing {
  const codings = fields.names.includes("transfer-encoding") ? listOf(fields, "transfer-encoding") : nothing;
  const length = lengthOf(fields);
  if (codings.length > 0 && length !== undefined)
    throw new Malformed("the answer has both Content-Length and Transfer-Encoding");
  if (codings.length > 0 && (codings.length > 1 || codings[0] !== "chunked"))
    throw new Malformed("the answer's Transfer-Encoding is not chunked");
  if (isHead || status < 200 || status === 204 || status === 304) return noBody;
  if (codings.length > 0) return { kind: "chunked" };
  if (length === undefined) return { kind: "close" };
  return length === 0 ? noBody : { kind: "length", length };
}

/** `HTTP/1.1 200 OK`: the version, a space, three digits, and a reason that may be missing with its space. */
function statusOf(text: string, lineEnd: number): number {
  const status = Number(text.slice(9, 12));
  const minor = text.charCodeAt(7);
  const isSound =
    text.startsWith("HTTP/1.") &&
    (minor === one || minor === zero) &&
    text.charCodeAt(8) === space &&
    status >= 100 &&
    [9, 10, 11].every((at) => isDigit(text.charCodeAt(at))) &&
    (lineEnd === 12 || (text.charCodeAt(12) === space && isFieldValue(text, 13, lineEnd)));
  if (!isSound) throw new Malformed("the answer does not begin with an HTTP/1.1 status line");
  return status;
}

const isDigit = (code: number): boolean => code >= zero && code <= zero + 9;

/** One length, or the same one several times: apps behind a framework of frameworks do that. */
function lengthOf({ names, values }: Fields): number | undefined {
  const first = names.indexOf("content-length");
  if (first === -1) return undefined;
  for (
    let at = names.indexOf("content-length", first + 1);
    at !== -1;
    at = names.indexOf("content-length", at + 1)
  )
    if (values[at] !== values[first]) throw new Malformed("the answer has two different lengths");
  return contentLength(values[first] ?? "");
}
