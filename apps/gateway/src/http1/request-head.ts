import { isTarget, isToken } from "./characters.ts";
import { type Fields, listOf, parseFields, single } from "./fields.ts";
import { Malformed } from "./malformed.ts";

/** How a body ends: not there, after so many bytes, with the last chunk, or with the connection. */
export type Framing =
  | { readonly kind: "none" | "chunked" | "close" }
  | { readonly kind: "length"; readonly length: number };

export const noBody: Framing = { kind: "none" };

export type RequestHead = {
  readonly method: string;
  /** In origin form, or `*`. */
  readonly target: string;
  readonly minor: 0 | 1;
  readonly fields: Fields;
  /** As the client named it, port included. */
  readonly host: string;
  readonly framing: Framing;
  readonly keepAlive: boolean;
  /** What the client would like to speak instead, as it wrote it. */
  readonly upgrade: string | undefined;
  readonly expectsContinue: boolean;
  /** The names that Connection lists: they end here. */
  readonly connection: readonly string[];
};

const nothing: readonly string[] = [];

/**
 * Reads a whole request head (request line to empty line). Refuses with Malformed whatever two readers could
 * understand differently: both lengths, two lengths, a doubled Host, white space where none belongs.
 */
export function parseRequestHead(text: string): RequestHead {
  const lineEnd = text.indexOf("\r\n");
  const methodEnd = text.indexOf(" ");
  const targetEnd = text.indexOf(" ", methodEnd + 1);
  if (methodEnd < 1 || targetEnd === -1 || targetEnd > lineEnd || !isToken(text, 0, methodEnd))
    throw new Malformed("the request line is not `<method> <path> HTTP/1.1`");
  const minor = minorVersion(text.slice(targetEnd + 1, lineEnd));
  if (!isTarget(text, methodEnd + 1, targetEnd))
    throw new Malformed("the path holds a character that is not allowed");
  const method = text.slice(0, methodEnd);
  const fields = parseFields(text, lineEnd + 2);
  const { target, authority } = splitTarget(method, text.slice(methodEnd + 1, targetEnd));
  const host = authority ?? single(fields, "host");
  if (host === undefined || host === "") throw new Malformed("the request names no host");
  if (authority !== undefined) single(fields, "host");
  if (!/^[\w.:[\]-]+$/.test(host)) throw new Malformed("the host is not a host name");
  const connection = fields.names.includes("connection") ? listOf(fields, "connection") : nothing;
  return {
    method,
    target,
    minor,
    fields,
    host,
    framing: requestFraming(fields, minor),
    keepAlive: minor === 1 && !connection.includes("close"),
    upgrade: minor === 1 && connection.includes("upgrade") ? upgradeOf(fields) : undefined,
    expectsContinue: minor === 1 && single(fields, "expect")?.toLowerCase() === "100-continue",
    connection,
  };
}

function minorVersion(version: string): 0 | 1 {
  if (version === "HTTP/1.1") return 1;
  if (version === "HTTP/1.0") return 0;
  if (/^HTTP\/\d(\.\d)?$/.test(version))
    throw new Malformed(`${version} is not spoken here: use HTTP/1.1`, 505);
  throw new Malformed("the request line is not `<method> <path> HTTP/1.1`");
}

function splitTarget(method: string, target: string): { target: string; authority: string | undefined } {
  if (target.startsWith("/") || (target === "*" && method === "OPTIONS"))
    return { target, authority: undefined };
  if (method === "CONNECT") throw new Malformed("CONNECT is not offered: this is no forward proxy", 501);
  const absolute = /^https?:\/\/([^/?#]*)(.*)$/i.exec(target);
  if (!absolute) throw new Malformed("the path does not begin with a slash");
  const rest = absolute[2] ?? "";
  return { target: rest.startsWith("/") ? rest : `/${rest}`, authority: absolute[1] ?? "" };
}

function requestFraming(fields: Fields, minor: 0 | 1): Framing {
  const coding = single(fields, "transfer-encoding");
  const length = single(fields, "content-length");
  if (coding !== undefined && length !== undefined)
    throw new Malformed("the request has both Content-Length and Transfer-Encoding");
  if (coding !== undefined) {
    if (minor === 0) throw new Malformed("HTTP/1.0 has no Transfer-Encoding");
    if (coding.toLowerCase() !== "chunked")
      throw new Malformed("the only Transfer-Encoding taken is chunked", 501);
    return { kind: "chunked" };
  }
  if (length === undefined) return noBody;
  const bytes = contentLength(length);
  return bytes === 0 ? noBody : { kind: "length", length: bytes };
}

/** Digits only: no sign, no list, no white space, nothing beyond what a number holds exactly. */
export function contentLength(value: string): number {
  if (!/^\d{1,15}$/.test(value)) throw new Malformed("Content-Length is not a number of bytes");
  return Number(value);
}

/** HTTP/2 over clear text is never passed on: what travels inside would escape every rule here. */
const upgradeOf = (fields: Fields): string | undefined => {
  const protocols = listOf(fields, "upgrade");
  return protocols.length === 0 || protocols.some((name) => name.startsWith("h2c"))
    ? undefined
    : protocols.join(", ");
};
