import type { Stored } from "../model/object.ts";

/** The objects of one resource, with an index by namespace and their order kept until a key comes or goes. */
export type Table = {
  get(key: string): Stored | undefined;
  set(key: string, object: Stored): void;
  delete(key: string): void;
  list(namespace?: string): readonly Stored[];
};

const namespaceOf = (key: string): string => {
  const slash = key.indexOf("/");
  return slash < 0 ? "" : key.slice(0, slash);
};
const compare = (a: string, b: string): number => {
  if (a === b) return 0;
  return a < b ? -1 : 1;
};

export function openTable(): Table {
  const objects = new Map<string, Stored>();
  const keys = new Map<string, Set<string>>();
  const sorted = new Map<string, readonly string[]>();

  const keysOf = (namespace: string): readonly string[] => {
    const known = sorted.get(namespace);
    if (known) return known;
    const fresh = [...(keys.get(namespace) ?? [])].sort(compare);
    sorted.set(namespace, fresh);
    return fresh;
  };
  const namespaces = (): readonly string[] => [...keys.keys()].sort((a, b) => compare(`${a}/`, `${b}/`));

  return {
    get: (key) => objects.get(key),
    set: (key, object) => {
      if (!objects.has(key)) {
        const namespace = namespaceOf(key);
        const inside = keys.get(namespace) ?? new Set();
        keys.set(namespace, inside.add(key));
        sorted.delete(namespace);
      }
      objects.set(key, object);
    },
    delete: (key) => {
      const namespace = namespaceOf(key);
      objects.delete(key);
      keys.get(namespace)?.delete(key);
      if (keys.get(namespace)?.size === 0) keys.delete(namespace);
      sorted.delete(namespace);
    },
    list: (namespace) =>
      (namespace === undefined ? namespaces() : [namespace])
        .flatMap(keysOf)
        .flatMap((key) => objects.get(key) ?? []),
  };
}
