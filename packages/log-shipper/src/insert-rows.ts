import type { Batch } from "./disk-buffer.ts";

/** `stored`: it is on the store's disk. `failed`: the same again may work. `refused`: these rows never will. */
export type Outcome =
  | { readonly kind: "stored" }
  | { readonly kind: "failed" | "refused"; readonly why: string };
export type InsertRows = (batch: Batch) => Promise<Outcome>;

/** Inserts over ClickHouse's HTTP interface into `logs.customer_logs`; never rejects. */
export function insertRows({
  url,
  user,
  password,
  timeoutMs = 30_000,
}: {
  url: string;
  user: string;
  password: string;
  timeoutMs?: number;
}): InsertRows {
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  return async ({ rows, token }) => {
    const asked = new URL(url);
    asked.search = new URLSearchParams({
      query: "INSERT INTO logs.customer_logs FORMAT JSONEachRow",
      // Lines are gathered here already; a second wait in the server would only add to the time until they are seen.
      async_insert: "0",
      insert_deduplication_token: token,
      input_format_skip_unknown_fields: "1",
    }).toString();
    try {
      const response = await fetch(asked, {
        method: "POST",
        headers: { authorization },
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
        why: `the log store cannot be reached at ${asked.origin}: ${String(error)} ${cause}`.trim(),
      };
    }
  };
}

/** Only what the rows themselves cause is final: a missing table or a wrong password is put right by somebody. */
const isFinal = (status: number, words: string): boolean =>
  status === 413 ||
  (status === 400 && /Code: (6|26|27|72|117)\./.test(words)) ||
  // Rows of more than 100 days in one insert: only a broken clock makes them.
  words.includes("Too many partitions for single INSERT");
