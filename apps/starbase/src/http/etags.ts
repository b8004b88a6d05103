import type { FastifyReply, FastifyRequest } from "fastify";
import type { MadeOver } from "../core/refuse-stale.ts";

/** The strong ETag of what a change is made over: its checksum (`sha256:<hex>`), quoted. */
export function withEtag<T extends { readonly checksum: string }>(reply: FastifyReply, answer: T): T {
  void reply.header("etag", `"${answer.checksum}"`);
  return answer;
}

/** What the caller's `If-Match` holds a change to. A weak tag matches nothing, as RFC 9110 wants it. */
export function ifMatchIn({ headers }: FastifyRequest): MadeOver {
  const header = headers["if-match"]?.trim();
  if (header === undefined || header === "*") return undefined;
  const tags = new Set(
    [...header.matchAll(/(W\/)?"([^"]*)"/g)].flatMap(([, weak, tag]) => (weak ? [] : tag!)),
  );
  return (checksum) => tags.has(checksum);
}
