import type { Cluster } from "../cluster.ts";
import { apiVersionOf } from "../kinds/kind.ts";
import type { JsonObject } from "../model/json.ts";
import type { ApiRequest, ApiResponse } from "./api-request.ts";
import { aggregated, aggregatedType } from "./aggregated-discovery.ts";
import { listedGroups, type Listed } from "./listed.ts";

function resourcesOf(kind: Listed): readonly JsonObject[] {
  const { plural, singular, namespaced, verbs, shortNames, categories } = kind;
  const own = {
    name: plural,
    singularName: singular,
    namespaced,
    kind: kind.kind,
    verbs,
    ...(shortNames.length > 0 && { shortNames }),
    ...(categories.length > 0 && { categories }),
  };
  const below = kind.below.map(({ name, verbs: its, speaks }) => ({
    name: `${plural}/${name}`,
    singularName: "",
    namespaced,
    ...(speaks.kind !== kind.kind && { group: speaks.group, version: speaks.version }),
    kind: speaks.kind,
    verbs: its,
  }));
  return [own, ...below];
}

const resourceList = (groupVersion: string, kinds: readonly Listed[]): JsonObject => ({
  kind: "APIResourceList",
  ...(groupVersion !== "v1" && { apiVersion: "v1" }),
  groupVersion,
  resources: kinds.flatMap(resourcesOf),
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

/** The aggregated form is asked for by its name, among other forms that would do as well. */
const wantsAggregated = (accept: string): boolean =>
  /as=APIGroupDiscoveryList/.test(accept) && /v=v2(?!beta)/.test(accept);

/** `/api`, `/apis` and below: what the server serves, whole or group by group. */
export function serveDiscovery({ path, accept }: ApiRequest, cluster: Cluster): ApiResponse | undefined {
  const [root, group = "", version = "", ...rest] = path.split("/").filter(Boolean);
  if ((root !== "api" && root !== "apis") || rest.length > 0) return undefined;
  const groups = listedGroups(cluster);
  const core = groups.get("") ?? new Map<string, readonly Listed[]>();
  if (group === "" && wantsAggregated(accept)) {
    const wanted = root === "api" ? [["", core] as const] : [...groups].filter(([name]) => name !== "");
    return { status: 200, contentType: aggregatedType, body: aggregated(new Map(wanted)) };
  }
  if (root === "api") {
    if (group === "")
      return { status: 200, body: { kind: "APIVersions", versions: ["v1"], serverAddressByClientCIDRs: [] } };
    return group === "v1" && version === ""
      ? { status: 200, body: resourceList("v1", core.get("v1") ?? []) }
      : undefined;
  }
  if (group === "") {
    const named = [...groups].filter(([name]) => name !== "");
    const entries = named.map(([name, versions]) => groupEntry(name, [...versions.keys()]));
    return { status: 200, body: { kind: "APIGroupList", apiVersion: "v1", groups: entries } };
  }
  const versions = groups.get(group);
  if (!versions) return undefined;
  if (version === "")
    return {
      status: 200,
      body: { kind: "APIGroup", apiVersion: "v1", ...groupEntry(group, [...versions.keys()]) },
    };
  const kinds = versions.get(version);
  return kinds && { status: 200, body: resourceList(`${group}/${version}`, kinds) };
}
