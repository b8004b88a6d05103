import { ApiError } from "../model/api-error.ts";
import type { JsonObject } from "../model/json.ts";
import type { Stored } from "../model/object.ts";
import type { Schema } from "../schema/schema.ts";
import { compare } from "./compare.ts";
import {
  difference,
  emptySet,
  intersection,
  isEmpty,
  pathsOf,
  sameSet,
  union,
  without,
  type FieldSet,
} from "./field-set.ts";
import { managerId, type Entry, type Manager, type Managers } from "./managers.ts";
import { merge, removeFields } from "./merge.ts";
import { unowned, withoutManagers } from "./owned-fields.ts";
import { printPath } from "./path-elements.ts";
import { setOf, withNamedParents } from "./set-of.ts";

export type Applied = {
  readonly object: Stored;
  readonly managers: Managers;
  /** The applier's set is another one than before, even when the object is the same. */
  readonly isSetChanged: boolean;
};

type Apply = {
  readonly live: Stored | undefined;
  readonly applied: Stored;
  readonly managers: Managers;
  readonly manager: Manager;
  readonly force: boolean;
  readonly schema: Schema;
  readonly reset: FieldSet;
};

/**
 * Server-side apply: the applied fields go onto the live object and become the applier's; fields it applied before and
 * no longer does go, unless somebody else owns them. Throws the 409 with a cause per field when another manager owns a
 * field whose value would change, unless forced; then the others lose it.
 */
export function serverSideApply({ live, applied, managers, manager, force, schema, reset }: Apply): Applied {
  const id = managerId(manager);
  const base = live && withoutManagers(live);
  const set = without(difference(setOf(applied, schema), unowned), reset);
  const last = managers.get(id)?.set ?? emptySet;
  const others = new Map([...managers].filter(([other]) => other !== id));
  const merged = merge(base, applied, schema) as Stored;
  const object = prune(merged, { last, owned: ownedBy([...others.values()], set) }, schema);
  const changes = compare(base ?? {}, object, schema);
  const kept = settle(others, {
    changes: union(changes.modified, changes.added),
    removed: changes.removed,
    force,
  });
  return {
    object,
    managers: new Map([...kept, [id, { ...manager, set }]]),
    isSetChanged: !sameSet(set, last),
  };
}

const ownedBy = (others: readonly Entry[], set: FieldSet): FieldSet =>
  others.reduce((sum, entry) => union(sum, entry.set), set);

type Pruning = { readonly last: FieldSet; readonly owned: FieldSet };

/** Takes away what was applied before and is not any more, but nothing that anybody owns or that was never applied. */
function prune(merged: Stored, { last, owned }: Pruning, schema: Schema): Stored {
  if (isEmpty(last)) return merged;
  const named = (set: FieldSet): FieldSet => withNamedParents(set, schema);
  const present = named(setOf(merged, schema));
  const remove = (set: FieldSet): JsonObject => (removeFields(merged, set, schema) ?? {}) as JsonObject;
  const gone = (pruned: JsonObject): FieldSet => difference(present, named(setOf(pruned, schema)));
  const unapplied = remove(named(last));
  const nobodys = remove(difference(gone(unapplied), named(owned)));
  return remove(intersection(gone(nobodys), named(last))) as Stored;
}

type Settling = { readonly changes: FieldSet; readonly removed: FieldSet; readonly force: boolean };

/** What the other managers keep; without force a changed field of theirs is a conflict. */
function settle(others: Managers, { changes, removed, force }: Settling): Managers {
  const lost = [...others].map(([id, entry]) => [id, entry, intersection(entry.set, changes)] as const);
  const conflicts = lost.filter(([, , fields]) => !isEmpty(fields));
  if (conflicts.length > 0 && !force)
    throw conflictError(conflicts.map(([, entry, fields]) => [entry, fields]));
  return new Map(
    lost.map(([id, entry, fields]) => [
      id,
      { ...entry, set: difference(difference(entry.set, fields), removed) },
    ]),
  );
}

const describe = ({ manager, operation, apiVersion, subresource }: Entry): string => {
  const name = JSON.stringify(manager);
  const where = subresource ? ` with subresource ${JSON.stringify(subresource)}` : "";
  return operation === "Update" ? `${name}${where} using ${apiVersion}` : `${name}${where}`;
};

function conflictError(conflicts: readonly (readonly [Entry, FieldSet])[]): ApiError {
  const causes = conflicts.flatMap(([entry, fields]) =>
    pathsOf(fields).map((path) => ({
      reason: "FieldManagerConflict",
      message: `conflict with ${describe(entry)}`,
      field: printPath(path),
    })),
  );
  const [first] = causes;
  const lines = [...Map.groupBy(causes, ({ message }) => message)].map(([message, all]) =>
    [message.replace("conflict", "conflicts") + ":", ...all.map(({ field }) => `- ${field}`)].join("\n"),
  );
  const text =
    causes.length === 1
      ? `1 conflict: ${first?.message}: ${first?.field}`
      : `${causes.length} conflicts: ${lines.join("\n")}`;
  return new ApiError(409, {
    reason: "Conflict",
    message: `Apply failed with ${text}`,
    details: { causes },
  });
}
