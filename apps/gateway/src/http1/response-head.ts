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

/** Reads a whole response head. `isHead` because the answer to HEAD names a length and has no body. Refuses with Malformed. */
export function parseResponseHead(text: string, isHead: boolean): ResponseHead {
  const lineEnd = text.indexOf("\r\n");
  const line = text.slice(0, lineEnd);
  const match = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: ([\t\x20-\x7e\x80-\xff]*))?$/.exec(line);
  if (!match) throw new Malformed("the answer does not begin with an HTTP/1.1 status line");
  const status = Number(match[2]);
  const fields = parseFields(text, lineEnd + 2);
  const connection = fields.names.includes("connection") ? listOf(fields, "connection") : nothing;
  const framing = responseFraming(fields, status, isHead);
  const persists = match[1] === "1" ? !connection.includes("close") : connection.includes("keep-alive");
  return {
    status,
    reason: match[3] ?? "",
    fields,
    framing,
    connection,
    keepAlive: persists && framing.kind !== "close",
  };
}

function responseFraming(fields: Fields, status: number, isHead: boolean): Framing {
  const codings = fields.names.includes("transfer-encoding") ? listOf(fields, "transfer-encoding") : nothing;
  const lengths = new Set(fields.values.filter((_, at) => fields.names[at] === "content-length"));
  if (codings.length > 0 && lengths.size > 0)
    throw new Malformed("the answer has both Content-Length and Transfer-Encoding");
  if (codings.length > 0 && (codings.length > 1 || codings[0] !== "chunked"))
    throw new Malformed("the answer's Transfer-Encoding is not chunked");
  if (lengths.size > 1) throw new Malformed("the answer has two different lengths");
  const length = lengths.size === 1 ? contentLength([...lengths][0] ?? "") : undefined;
  if (isHead || status < 200 || status === 204 || status === 304) return noBody;
  if (codings.length > 0) return { kind: "chunked" };
  if (length === undefined) return { kind: "close" };
  return length === 0 ? noBody : { kind: "length", length };
}
