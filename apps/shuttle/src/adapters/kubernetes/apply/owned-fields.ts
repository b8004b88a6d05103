/** A node of `managedFields[].fieldsV1`: `f:<field>`, `k:<keys of a list's item>`, `v:<value>`; a leaf is empty. */
export type FieldSet = { readonly [path: string]: FieldSet };
type Path = readonly string[];

/**
 * Fields of a manifest that its manager does not own any more: somebody set them to another value or took them away, for
 * nothing else ends ownership. How lists merge is read from the set itself, so that no schema is needed and the server's
 * own spelling of a value (`1` for `1000m`) is no difference.
 */
export function lostFields(manifest: Readonly<Record<string, unknown>>, owned: FieldSet): readonly Path[] {
  const { apiVersion: _apiVersion, kind: _kind, metadata, ...rest } = manifest;
  const { name: _name, namespace: _namespace, ...meta } = metadata as Record<string, unknown>;
  return Object.entries({ metadata: meta, ...rest }).flatMap(([field, value]) =>
    lost(value, owned[`f:${field}`], [field]),
  );
}

function lost(value: unknown, owned: FieldSet | undefined, path: Path): readonly Path[] {
  // What is empty says nothing: the server may not keep it.
  if (isEmpty(value)) return [];
  if (!owned) return [path];
  // A leaf is owned as a whole.
  if (Object.keys(owned).length === 0 || typeof value !== "object") return [];
  if (Array.isArray(value)) return value.flatMap((item, at) => lostItem(item, owned, [...path, String(at)]));
  return Object.entries(value as object).flatMap(([field, inner]) =>
    lost(inner, owned[`f:${field}`], [...path, field]),
  );
}

function lostItem(item: unknown, owned: FieldSet, path: Path): readonly Path[] {
  if (`v:${JSON.stringify(item)}` in owned) return [];
  const key = Object.keys(owned).find((each) => each.startsWith("k:") && isKeyOf(each, item));
  return key === undefined ? [path] : lost(item, owned[key], path);
}

/** A key that the item leaves out has its default. */
function isKeyOf(key: string, item: unknown): boolean {
  if (item === null || typeof item !== "object") return false;
  const fields = Object.entries(JSON.parse(key.slice(2)) as Record<string, unknown>);
  return fields.every(([name, value]) => {
    const own = (item as Record<string, unknown>)[name];
    return own === undefined || own === value;
  });
}

const isEmpty = (value: unknown): boolean =>
  value === null || value === undefined || (typeof value === "object" && Object.keys(value).length === 0);

/** Whether the set holds the path, or all of which it is a part. */
export function owns(owned: FieldSet, path: Path): boolean {
  let node: FieldSet | undefined = owned;
  for (const part of path) {
    if (Object.keys(node).length === 0) return true;
    const next: FieldSet | undefined = node[`f:${part}`] ?? (/^\d+$/.test(part) ? anyItem(node) : undefined);
    if (!next) return false;
    node = next;
  }
  return true;
}
/** Items have no numbers in a set: any stands for the one that is meant. */
const anyItem = (node: FieldSet): FieldSet | undefined =>
  Object.entries(node).find(([key]) => key.startsWith("k:") || key.startsWith("v:"))?.[1];
