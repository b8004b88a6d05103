import { Fault } from "@starform/std/fault";
import { isUuid } from "@starform/std/ids";

type Query = { cursor?: string | undefined };

/** Cursors of most lists are ids; anything else never came from one. */
function idIn({ cursor }: Query): string | undefined {
  if (cursor === undefined || isUuid(cursor)) return cursor;
  throw new Fault(
    "invalid",
    "this cursor is of no list of ours: hand back the `nextCursor` of the page before",
  );
}

/** The cursor of a list that is newest first. */
export function cursorIn(query: Query): { before?: string } {
  const id = idIn(query);
  return id === undefined ? {} : { before: id };
}

/** The cursor of a list that goes on as it grows. */
export function cursorOn(query: Query): { after?: string } {
  const id = idIn(query);
  return id === undefined ? {} : { after: id };
}

/** One row more than asked for tells whether there is a next page. */
export function paged<T, W>(
  rows: readonly T[],
  limit: number,
  present: (row: T) => W,
  cursorOf: (row: T) => string,
) {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return {
    items: items.map(present),
    ...(rows.length > limit && last ? { nextCursor: cursorOf(last) } : {}),
  };
}
