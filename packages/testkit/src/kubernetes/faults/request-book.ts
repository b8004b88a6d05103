import { meets, type RequestMatch, type Seen } from "./request-match.ts";

export type RequestRecord = Seen & { readonly status: number; readonly query: string; readonly at: Date };

/** What was asked of the server since the last `clear`. */
export type RequestBook = {
  note(record: RequestRecord): void;
  count(match?: RequestMatch): number;
  /** The last requests that fit, oldest first. */
  list(match?: RequestMatch): readonly RequestRecord[];
  clear(): void;
};

/** No more are kept one by one; the numbers stay exact. */
const keptMax = 50_000;

export function openRequestBook(): RequestBook {
  let records: RequestRecord[] = [];
  let dropped = new Map<string, { readonly sample: RequestRecord; count: number }>();
  const drop = (): void => {
    for (const record of records.splice(0, records.length - keptMax / 2)) {
      const { attempt, user } = record;
      const id = JSON.stringify([
        attempt.verb,
        attempt.resource,
        attempt.subresource,
        attempt.namespace,
        attempt.name,
        user,
      ]);
      const entry = dropped.get(id) ?? { sample: record, count: 0 };
      entry.count += 1;
      dropped.set(id, entry);
    }
  };
  return {
    note: (record) => {
      records.push(record);
      if (records.length > keptMax) drop();
    },
    count: (match = {}) =>
      records.filter((record) => meets(match, record)).length +
      [...dropped.values()]
        .filter(({ sample }) => meets(match, sample))
        .reduce((sum, { count }) => sum + count, 0),
    list: (match = {}) => records.filter((record) => meets(match, record)),
    clear: () => {
      records = [];
      dropped = new Map();
    },
  };
}
