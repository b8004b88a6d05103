import { apiVersionOf, type Kind } from "../kinds/kind.ts";
import type { Registry } from "../kinds/registry.ts";
import type { JsonObject } from "../model/json.ts";
import type { ApiRequest, ApiResponse } from "./api-request.ts";
import { subresources } from "./subresources.ts";

const verbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

type Entry = {
  readonly name: string;
  readonly kind: Kind;
  readonly verbs: readonly string[];
  readonly speaks?: { readonly group: string; readonly version: string; readonly kind: string };
};

/** A kind and everything below it. */
function entriesOf(kind: Kind): readonly Entry[] {
  const status = kind.hasStatus
    ? [{ name: `${kind.plural}/status`, kind, verbs: ["get", "patch", "update"] }]
    : [];
  const others = Object.entries(subresources)
    .filter(([, subresource]) => subresource.has(kind))
    .map(([name, { verbs: own, speaks }]) => ({
      name: `${kind.plural}/${name}`,
      kind,
      verbs: own,
      ...(speaks && { speaks }),
    }));
  return [{ name: kind.plural, kind, verbs }, ...status, ...others];
}

/** The kinds of the server by group and version; the core group's name is empty. */
function byGroup(registry: Registry): ReadonlyMap<string, ReadonlyMap<string, readonly Kind[]>> {
  const groups = Map.groupBy(registry.all(), ({ group }) => group);
  return new Map([...groups].map(([group, kinds]) => [group, Map.groupBy(kinds, ({ version }) => version)]));
}

const plainEntry = ({ name, kind, verbs: own, speaks }: Entry): JsonObject => ({
  name,
  singularName: name.includes("/") ? "" : kind.singular,
  namespaced: kind.namespaced,
  ...(speaks && { group: speaks.group, version: speaks.version }),
  kind: speaks?.kind ?? kind.kind,
  verbs: own,
  ...(!name.includes("/") && kind.shortNames.length > 0 && { shortNames: kind.shortNames }),
  ...(!name.includes("/") && kind.categories.length > 0 && { categories: kind.categories }),
});

const resourceList = (groupVersion: string, kinds: readonly Kind[]): JsonObject => ({
  kind: "APIResourceList",
  ...(groupVersion !== "v1" && { apiVersion: "v1" }),
  groupVersion,
  resources: kinds.flatMap(entriesOf).map(plainEntry),
});

const versionEntry = (group: string, version: string): JsonObject => ({
  groupVersion: apiVersionOf({ group, version }),
  version,
});
const groupEntry = (group: string, versions: readonly string[]): JsonObject => ({
  name: group,
  versions: versions.map((version) => versionEntry(group, version)),
  preferredVersion: versionEntry(group, versions[0] ?? ""),
});

function aggregatedKind(kind: Kind): JsonObject {
  const [own, ...below] = entriesOf(kind);
  const responseKind = (entry: Entry): JsonObject => ({
    group: entry.speaks?.group ?? kind.group,
    version: entry.speaks?.version ?? kind.version,
    kind: entry.speaks?.kind ?? kind.kind,
  });
  return {
    resource: kind.plural,
    responseKind: own ? responseKind(own) : {},
    scope: kind.namespaced ? "Namespaced" : "Cluster",
    singularResource: kind.singular,
    verbs: own?.verbs ?? [],
    ...(kind.shortNames.length > 0 && { shortNames: kind.shortNames }),
    ...(kind.categories.length > 0 && { categories: kind.categories }),
    ...(below.length > 0 && {
      subresources: below.map((entry) => ({
        subresource: entry.name.split("/")[1] ?? "",
        responseKind: responseKind(entry),
        verbs: entry.verbs,
      })),
    }),
  };
}

const aggregated = (groups: ReadonlyMap<string, ReadonlyMap<string, readonly Kind[]>>): JsonObject => ({
  kind: "APIGroupDiscoveryList",
  apiVersion: "apidiscovery.k8s.io/v2",
  metadata: {},
  items: [...groups].map(([group, versions]) => ({
    metadata: { ...(group && { name: group }), creationTimestamp: null },
    versions: [...versions].map(([version, kinds]) => ({
      version,
      freshness: "Current",
      resources: kinds.map(aggregatedKind),
    })),
  })),
});

const aggregatedType = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/** `/api`, `/apis` and below: what the server serves, whole or group by group. */
export function serveDiscovery({ path, accept }: ApiRequest, registry: Registry): ApiResponse | undefined {
  const groups = byGroup(registry);
  const steps = path.split("/").filter(Boolean);
  const isAggregated = /as=APIGroupDiscoveryList/.test(accept) && /v=v2(?!beta)/.test(accept);
  const [root, group = "", version = ""] = steps;
  if (root === "api" && steps.length === 1)
    return isAggregated
      ? {
          status: 200,
          contentType: aggregatedType,
          body: aggregated(new Map([...groups].filter(([name]) => name === ""))),
        }
      : { status: 200, body: { kind: "APIVersions", versions: ["v1"], serverAddressByClientCIDRs: [] } };
  if (root === "api" && steps.length === 2)
    return group === "v1"
      ? { status: 200, body: resourceList("v1", groups.get("")?.get("v1") ?? []) }
      : undefined;
  if (root !== "apis") return undefined;
  const named = new Map([...groups].filter(([name]) => name !== ""));
  if (steps.length === 1)
    return isAggregated
      ? { status: 200, contentType: aggregatedType, body: aggregated(named) }
      : {
          status: 200,
          body: {
            kind: "APIGroupList",
            apiVersion: "v1",
            groups: [...named].map(([name, versions]) => groupEntry(name, [...versions.keys()])),
          },
        };
  const versions = named.get(group);
  if (!versions) return undefined;
  if (steps.length === 2)
    return {
      status: 200,
      body: { kind: "APIGroup", apiVersion: "v1", ...groupEntry(group, [...versions.keys()]) },
    };
  const kinds = versions.get(version);
  return steps.length === 3 && kinds
    ? { status: 200, body: resourceList(`${group}/${version}`, kinds) }
    : undefined;
}
