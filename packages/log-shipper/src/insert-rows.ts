import type { Batch } from "./disk-buffer.ts";

/** `stored`: it is on the store's disk. `failed`: the same again may work. `refused`: these rows never will. */
export type Outcome =
  | { readonly kind: "stored" }
  | { readonly kind: "failed" | "refused"; readonly why: string };
export type InsertRows = (batch: Batch) => Promise<Outcome>;

/** Where rows go: ClickHouse's HTTP interface, or a region's door for logs. */
export type LogDestination =
  | { readonly url: string; readonly user: string; readonly password: string }
  | {
      readonly url: string;
      /** The cluster's, asked for at each call: it may be renewed. */
      readonly token: () => string;
    };

const timeoutMs = 30_000;

/** Sends rows to where they go; never rejects. */
export const insertRows = (to: LogDestination): InsertRows => ("token" in to ? postRows(to) : insertInto(to));

/** Into `logs.customer_logs`. */
function insertInto({ url, user, password }: Extract<LogDestination, { user: string }>): InsertRows {
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  return ({ rows, token }) => {
    const asked = new URL(url);
    asked.search = new URLSearchParams({
      query: "INSERT INTO logs.customer_logs FORMAT JSONEachRow",
      // Lines are gathered here already; a second wait in the server would only add to the time until they are seen.
      async_insert: "0",
      insert_deduplication_token: token,
      input_format_skip_unknown_fields: "1",
    }).toString();
    return send(asked, () => authorization, rows, isRefusedByStore);
  };
}

/**
 * To a region's Vector, as the Fluent Bits of its clusters send: one row a line, with the cluster's token. It does not know
 * batches again: rows whose answer was lost are in the store twice.
 */
const postRows =
  ({ url, token }: Extract<LogDestination, { token: unknown }>): InsertRows =>
  ({ rows }) =>
    send(
      new URL("/logs", url),
      () => `Bearer ${token()}`,
      rows,
      (status) => status === 400 || status === 413,
    );

async function send(
  url: URL,
  authorization: () => string,
  rows: string,
  isFinal: (status: number, words: string) => boolean,
): Promise<Outcome> {
  let bearer: string;
  try {
    bearer = authorization();
  } catch (error) {
    return { kind: "failed", why: `the token for the log store cannot be read: ${String(error)}` };
  }
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { authorization: bearer, "content-type": "application/x-ndjson" },
      body: rows,
      signal: AbortSignal.timeout(timeoutMs),
    });
    const words = (await response.text()).trim().slice(0, 500);
    if (response.ok) return { kind: "stored" };
    return {
      kind: isFinal(response.status, words) ? "refused" : "failed",
      why: `the log store answered ${response.status}: ${words}`,
    };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : "";
    return {
      kind: "failed",
      why: `the log store cannot be reached at ${url.origin}: ${String(error)} ${cause}`.trim(),
    };
  }
}

/** Only what the rows themselves cause is final: a missing table or a wrong password is put right by somebody. */
const isRefusedByStore = (status: number, words: string): boolean =>
  status === 413 ||
  (status === 400 && /Code: (6|26|27|72|117)\./.test(words)) ||
  // Rows of more than 100 days in one insert: only a broken clock makes them.
  words.includes("Too many partitions for single INSERT");
