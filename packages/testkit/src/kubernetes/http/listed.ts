import type { Cluster } from "../cluster.ts";
import type { Kind } from "../kinds/kind.ts";
import { hasMetrics, metricsKinds } from "./serve-metrics.ts";
import { reviewKinds } from "./serve-reviews.ts";
import { subresources } from "./subresources.ts";

type KindName = { readonly group: string; readonly version: string; readonly kind: string };

/** What discovery says of one resource. */
export type Listed = KindName & {
  readonly plural: string;
  readonly singular: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly below: readonly {
    readonly name: string;
    readonly verbs: readonly string[];
    readonly speaks: KindName;
  }[];
};

const allVerbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
const statusVerbs = ["get", "patch", "update"];

function listedKind(kind: Kind): Listed {
  const { group, version, plural, singular, namespaced, shortNames, categories } = kind;
  const speaks = { group, version, kind: kind.kind };
  const status = kind.hasStatus ? [{ name: "status", verbs: statusVerbs, speaks }] : [];
  const others = Object.entries(subresources)
    .filter(([, subresource]) => subresource.has(kind))
    .map(([name, { verbs, speaks: other }]) => ({ name, verbs, speaks: other ?? speaks }));
  return {
    ...speaks,
    plural,
    singular,
    namespaced,
    shortNames,
    categories,
    verbs: allVerbs,
    below: [...status, ...others],
  };
}

/** Resources that the store does not keep: reviews, and metrics where there is a metrics server. */
function unstored(cluster: Cluster): readonly Listed[] {
  const metrics = hasMetrics(cluster)
    ? metricsKinds.map((kind) => ({ ...kind, verbs: ["get", "list"] }))
    : [];
  return [...reviewKinds.map((kind) => ({ ...kind, verbs: ["create"] })), ...metrics].map((kind) => ({
    ...kind,
    singular: kind.kind.toLowerCase(),
    shortNames: [],
    categories: [],
    below: [],
  }));
}

/** Everything that is served, by group and version; the core group's name is empty. */
export function listedGroups(cluster: Cluster): ReadonlyMap<string, ReadonlyMap<string, readonly Listed[]>> {
  const all = [...cluster.registry.all().map(listedKind), ...unstored(cluster)];
  const groups = Map.groupBy(all, ({ group }) => group);
  return new Map([...groups].map(([group, kinds]) => [group, Map.groupBy(kinds, ({ version }) => version)]));
}
