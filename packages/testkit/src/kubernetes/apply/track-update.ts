import type { JsonObject } from "../model/json.ts";
import type { Stored } from "../model/object.ts";
import type { Schema } from "../schema/schema.ts";
import { compare } from "./compare.ts";
import { difference, emptySet, intersection, isEmpty, union, without, type FieldSet } from "./field-set.ts";
import { capUpdaters, managerId, type Manager, type Managers } from "./managers.ts";
import { unowned, withoutManagers } from "./owned-fields.ts";

type Update = {
  /** What was there; for a new object an empty one of its kind. */
  readonly before: JsonObject;
  readonly after: Stored;
  readonly managers: Managers;
  readonly manager: Manager;
  readonly schema: Schema;
  readonly reset: FieldSet;
  readonly time: string;
};

/**
 * Who owns what after any write that is no apply: the writer owns what it changed or added, the others lose that, and
 * what was taken away belongs to nobody.
 */
export function trackUpdate({ before, after, managers, manager, schema, reset, time }: Update): Managers {
  const { added, modified, removed } = compare(before, withoutManagers(after), schema);
  const changed = union(added, modified);
  const own = without(difference(difference(changed, unowned), removed), reset);
  const id = managerId(manager);
  const out = new Map(managers);
  for (const [other, entry] of managers) {
    const lost = other === id ? emptySet : intersection(entry.set, changed);
    const set = difference(difference(entry.set, lost), removed);
    if (isEmpty(set)) out.delete(other);
    else if (set !== entry.set) out.set(other, { ...entry, set });
  }
  if (isEmpty(own)) return out;
  out.set(id, { ...manager, time, set: union(out.get(id)?.set ?? emptySet, own) });
  return capUpdaters(out);
}
