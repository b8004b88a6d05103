/** What server-side apply means for named fields with a text in each, told without any of the server's machinery. */
export type Fields = Readonly<Record<string, string>>;
export type Step =
  | {
      readonly type: "apply";
      readonly manager: "one" | "two";
      readonly fields: Fields;
      readonly force: boolean;
    }
  /** Somebody who does not apply changes a field, or takes it away. */
  | { readonly type: "update"; readonly field: string; readonly value: string | null };

type Owners = ReadonlySet<string>;
/**
 * A field that is there. In a list, being there and having a value are owned apart: who changes the value of another's
 * item does not become the item's owner, and the item goes with its owner, value and all.
 */
type Field = { readonly value: string; readonly there: Owners; readonly valued: Owners };
export type Model = { readonly isList: boolean; readonly fields: ReadonlyMap<string, Field> };

export const emptyModel = (isList: boolean): Model => ({ isList, fields: new Map() });

const without = (owners: Owners, manager: string): Owners =>
  new Set([...owners].filter((one) => one !== manager));
const nobody: Owners = new Set();

/** The fields that an apply may not change without force: another owner has another value there. */
export const conflictsOf = (
  { fields: all }: Model,
  { manager, fields }: Step & { type: "apply" },
): readonly string[] =>
  Object.keys(fields).filter((name) => {
    const field = all.get(name);
    return field !== undefined && field.value !== fields[name] && without(field.valued, manager).size > 0;
  });

function applied(model: Model, step: Step & { type: "apply" }): Model {
  if (conflictsOf(model, step).length > 0 && !step.force) return model;
  const { manager, fields } = step;
  const out = new Map(model.fields);
  for (const [name, value] of Object.entries(fields)) {
    const before = model.fields.get(name);
    const valued = new Set([...(before?.value === value ? before.valued : nobody), manager]);
    const there = model.isList ? new Set([...(before?.there ?? nobody), manager]) : valued;
    out.set(name, { value, there, valued });
  }
  for (const [name, field] of model.fields) {
    if (name in fields || !field.there.has(manager)) continue;
    const [there, valued] = [without(field.there, manager), without(field.valued, manager)];
    if (there.size === 0) out.delete(name);
    // The value was the applier's alone: it goes, and the item of the other owner stays without one.
    else
      out.set(name, {
        value: field.valued.has(manager) && valued.size === 0 ? "" : field.value,
        there,
        valued,
      });
  }
  return { ...model, fields: out };
}

function updated(model: Model, { field: name, value }: Step & { type: "update" }): Model {
  const before = model.fields.get(name);
  if ((before?.value ?? null) === value) return model;
  const out = new Map(model.fields);
  const editor = new Set(["editor"]);
  if (value === null) out.delete(name);
  else out.set(name, { value, there: model.isList && before ? before.there : editor, valued: editor });
  return { ...model, fields: out };
}

export const next = (model: Model, step: Step): Model =>
  step.type === "apply" ? applied(model, step) : updated(model, step);

export const valuesOf = ({ fields }: Model): Fields =>
  Object.fromEntries([...fields].map(([name, { value }]) => [name, value]));

/** The fields whose value a manager owns, sorted. */
export const ownedBy = ({ fields }: Model, manager: string): readonly string[] =>
  [...fields]
    .filter(([, { valued }]) => valued.has(manager))
    .map(([name]) => name)
    .toSorted();
