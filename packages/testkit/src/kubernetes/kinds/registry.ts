import type { Stored } from "../model/object.ts";
import { builtinKinds } from "./builtin-kinds.ts";
import { customKinds } from "./custom-kind.ts";
import type { Store } from "../store/store.ts";
import type { Kind } from "./kind.ts";

export type Registry = {
  /** The kind behind a path of the API, if the server serves it. */
  byPlural(group: string, version: string, plural: string): Kind | undefined;
  byKind(apiVersion: string, kind: string): Kind | undefined;
  /** Any served version of a group's kind. */
  anyVersion(group: string, kind: string): Kind | undefined;
  ofResource(resource: string): Kind | undefined;
  hasGroupVersion(group: string, version: string): boolean;
  all(): readonly Kind[];
  /** Serves what the definition says, or nothing of it any more. */
  define(definition: Stored): void;
  undefine(definition: Stored): void;
};

/** The definitions that are there now. */
export const customKindsOf = ({ list }: Pick<Store, "list">): readonly Stored[] =>
  list("customresourcedefinitions.apiextensions.k8s.io");

const groupOf = (apiVersion: string): readonly [string, string] => {
  const [first = "", second] = apiVersion.split("/");
  return second === undefined ? ["", first] : [first, second];
};

export function openRegistry(): Registry {
  let kinds: readonly Kind[] = builtinKinds();
  let byPlural = new Map<string, Kind>();
  let byKind = new Map<string, Kind>();
  const index = (): void => {
    byPlural = new Map(kinds.map((kind) => [`${kind.group}/${kind.version}/${kind.plural}`, kind]));
    byKind = new Map(kinds.map((kind) => [`${kind.group}/${kind.version}/${kind.kind}`, kind]));
  };
  const without = ({ metadata }: Stored): readonly Kind[] =>
    kinds.filter(({ isCustom, resource }) => !isCustom || resource !== metadata.name);
  index();
  return {
    byPlural: (group, version, plural) => byPlural.get(`${group}/${version}/${plural}`),
    byKind: (apiVersion, kind) => byKind.get(`${groupOf(apiVersion).join("/")}/${kind}`),
    anyVersion: (group, kind) => kinds.find((one) => one.group === group && one.kind === kind),
    ofResource: (resource) => kinds.find((one) => one.resource === resource),
    hasGroupVersion: (group, version) =>
      kinds.some((kind) => kind.group === group && kind.version === version),
    all: () => kinds,
    define: (definition) => {
      kinds = [...without(definition), ...customKinds(definition)];
      index();
    },
    undefine: (definition) => {
      kinds = without(definition);
      index();
    },
  };
}
