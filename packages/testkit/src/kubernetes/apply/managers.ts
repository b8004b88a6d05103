import { withMeta, type ManagedFields, type Stored } from "../model/object.ts";
import { emptySet, fromFieldsV1, isEmpty, toFieldsV1, union, type FieldSet } from "./field-set.ts";

/** Who owns which fields of an object: one entry per manager, way of writing, version and subresource. */
export type Manager = {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  readonly apiVersion: string;
  readonly subresource?: string;
};
export type Entry = Manager & { readonly time?: string; readonly set: FieldSet };
export type Managers = ReadonlyMap<string, Entry>;

/** An applier stays the same one when it applies another version of its objects; an updater does not. */
export const managerId = ({ manager, operation, apiVersion, subresource }: Manager): string =>
  JSON.stringify([manager, operation, operation === "Apply" ? "" : apiVersion, subresource ?? ""]);

export const readManagers = (object: Stored | undefined): Managers =>
  new Map(
    (object?.metadata.managedFields ?? []).map((entry) => {
      const manager: Manager = {
        manager: entry.manager,
        operation: entry.operation,
        apiVersion: entry.apiVersion,
        ...(entry.subresource !== undefined && { subresource: entry.subresource }),
      };
      const set = fromFieldsV1(entry.fieldsV1 ?? {});
      return [managerId(manager), { ...manager, ...(entry.time !== undefined && { time: entry.time }), set }];
    }),
  );

const order = (a: ManagedFields, b: ManagedFields): number => {
  const keys = ({ operation, time, manager, apiVersion, subresource }: ManagedFields) => [
    operation,
    time ?? "",
    manager,
    apiVersion,
    subresource ?? "",
  ];
  const [left, right] = [keys(a), keys(b)];
  const index = left.findIndex((value, position) => value !== right[position]);
  return index < 0 ? 0 : (left[index] ?? "") < (right[index] ?? "") ? -1 : 1;
};

/** The managers as the object carries them: applies first, then by time and name. */
export function writeManagers<T extends Stored>(object: T, managers: Managers): T {
  const entries = [...managers.values()]
    .filter(({ set }) => !isEmpty(set))
    .map(({ manager, operation, apiVersion, time, set, subresource }): ManagedFields => ({
      manager,
      operation,
      apiVersion,
      ...(time !== undefined && { time }),
      fieldsType: "FieldsV1",
      fieldsV1: toFieldsV1(set),
      ...(subresource !== undefined && { subresource }),
    }));
  return withMeta(object, { managedFields: entries.length > 0 ? entries.sort(order) : undefined });
}

const updatersMax = 10;

/** No more than ten updaters are told apart: the oldest become one, `ancient-changes`. */
export function capUpdaters(managers: Managers): Managers {
  const updaters = [...managers].filter(([, { operation }]) => operation === "Update");
  if (updaters.length <= updatersMax) return managers;
  const oldest = updaters
    .toSorted(([, a], [, b]) => ((a.time ?? "") < (b.time ?? "") ? -1 : 1))
    .slice(0, updaters.length - updatersMax + 1);
  const out = new Map(managers);
  for (const [id] of oldest) out.delete(id);
  for (const version of new Set(oldest.map(([, { apiVersion }]) => apiVersion))) {
    const all = oldest.map(([, entry]) => entry).filter(({ apiVersion }) => apiVersion === version);
    const ancient: Manager = { manager: "ancient-changes", operation: "Update", apiVersion: version };
    const set = all.reduce((sum, entry) => union(sum, entry.set), emptySet);
    const time = all.at(-1)?.time;
    out.set(managerId(ancient), { ...ancient, ...(time !== undefined && { time }), set });
  }
  return out;
}
