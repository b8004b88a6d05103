import type { JsonObject } from "../model/json.ts";
import type { Listed } from "./listed.ts";

export const aggregatedType = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

function resourceOf(kind: Listed): JsonObject {
  const { group, version, plural, singular, namespaced, verbs, shortNames, categories, below } = kind;
  return {
    resource: plural,
    responseKind: { group, version, kind: kind.kind },
    scope: namespaced ? "Namespaced" : "Cluster",
    singularResource: singular,
    verbs,
    ...(shortNames.length > 0 && { shortNames }),
    ...(categories.length > 0 && { categories }),
    ...(below.length > 0 && {
      subresources: below.map(({ name, verbs: its, speaks }) => ({
        subresource: name,
        responseKind: speaks,
        verbs: its,
      })),
    }),
  };
}

/** All groups with all their resources in one answer: what clients ask for first since Kubernetes 1.27. */
export const aggregated = (
  groups: ReadonlyMap<string, ReadonlyMap<string, readonly Listed[]>>,
): JsonObject => ({
  kind: "APIGroupDiscoveryList",
  apiVersion: "apidiscovery.k8s.io/v2",
  metadata: {},
  items: [...groups].map(([group, versions]) => ({
    metadata: { ...(group && { name: group }), creationTimestamp: null },
    versions: [...versions].map(([version, kinds]) => ({
      version,
      resources: kinds.map(resourceOf),
      freshness: "Current",
    })),
  })),
});
