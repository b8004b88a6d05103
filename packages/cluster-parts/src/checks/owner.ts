import type { KubeObject } from "@starform/kubernetes/kube-api";
import type { Check } from "../examination.ts";
import { clusterIdLabel, managedByLabel } from "../ownership.ts";
import { findingsOf } from "./finding.ts";

const { ok, error } = findingsOf("owner");
const shuttle = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  namespace: "starform-system",
  name: "shuttle",
};

/**
 * For a Shuttle that runs elsewhere: whether another one looks after the cluster, as a pod of it or from another machine.
 * Two of them would undo each other's work.
 */
export const checkOwner: Check = async ({ kube, askStarbase, clusterId, signal }) => {
  if (askStarbase) return [];
  if (await kube.get(shuttle, signal))
    return [
      error(
        "this cluster has a Shuttle of its own (deployment starform-system/shuttle), which works for another Starbase",
        "use that Starbase, or take it away with starform cluster remove",
      ),
    ];
  if (clusterId === undefined) return [];
  const { items } = await kube.list(
    { apiVersion: "v1", kind: "Namespace" },
    { labelSelector: `${managedByLabel}=shuttle`, metadataOnly: true },
    signal,
  );
  const foreign = items.find((one) => idOf(one) !== undefined && idOf(one) !== clusterId);
  return [
    foreign
      ? error(
          `apps of another Starform run on this cluster: namespace ${foreign.metadata.name} belongs to cluster ${idOf(foreign)}`,
          "start with the --data-dir that they belong to and without --fresh, or take them away with starform cluster remove",
        )
      : ok(items.length > 0 ? `all apps are of cluster ${clusterId}` : "no Shuttle looks after it yet"),
  ];
};

const idOf = ({ metadata }: KubeObject): string | undefined => metadata.labels?.[clusterIdLabel];
