import type { KubeApi } from "@starform/kubernetes/kube-api";
import { Fault } from "@starform/std/fault";
import type { ClusterFacts } from "./cluster-facts.ts";
import { canDo, type Right } from "./access-review.ts";

const oldestMinor = 31;
/** What the Gateway API must serve for Shuttle's routes, whoever brought it. */
export const gatewayKinds = ["GatewayClass", "Gateway", "HTTPRoute"].map((kind) => ({
  apiVersion: "gateway.networking.k8s.io/v1",
  kind,
}));

/** What a bootstrap must be allowed: it gives rights away, so in practice it is the cluster's administrator. */
const needed: readonly Right[] = [
  { verb: "create", group: "", resource: "namespaces" },
  { verb: "patch", group: "", resource: "secrets", namespace: "starform-system" },
  { verb: "patch", group: "apps", resource: "deployments", namespace: "starform-system" },
  { verb: "patch", group: "apps", resource: "daemonsets", namespace: "starform-nodes" },
  { verb: "create", group: "apiextensions.k8s.io", resource: "customresourcedefinitions" },
  { verb: "create", group: "rbac.authorization.k8s.io", resource: "clusterroles" },
  { verb: "escalate", group: "rbac.authorization.k8s.io", resource: "clusterroles" },
  { verb: "bind", group: "rbac.authorization.k8s.io", resource: "clusterroles" },
];

/** Refuses, before anything is changed, a cluster on which a bootstrap would stop half way. */
export async function preflight(kube: KubeApi, facts: ClusterFacts, signal?: AbortSignal): Promise<void> {
  const minor = minorOf(facts.kubernetesVersion);
  if (minor !== undefined && minor < oldestMinor)
    throw new Fault(
      "conflict",
      `this cluster runs Kubernetes ${facts.kubernetesVersion}; Starform needs 1.${oldestMinor} or newer. Upgrade it first.`,
    );
  const refused: Right[] = [];
  for (const right of needed) if (!(await canDo(kube, right, undefined, signal))) refused.push(right);
  if (refused.length > 0)
    throw new Fault(
      "forbidden",
      `this kubeconfig may not ${refused.map(({ verb, resource }) => `${verb} ${resource}`).join(", ")}: bootstrap with the cluster's administrator`,
    );
  for (const kind of facts.foreignGatewayApi.length > 0 ? gatewayKinds : [])
    if (!(await kube.serves(kind, signal)))
      throw new Fault(
        "conflict",
        `${facts.foreignGatewayApi[0]?.maker} has brought kinds of the Gateway API, but not ${kind.kind} ${kind.apiVersion.split("/")[1]}: upgrade them to v1.2 or newer, or remove them`,
      );
}

/** 31 of "v1.31.4"; undefined where the server calls itself something else. */
export function minorOf(version: string): number | undefined {
  const minor = /^v?1\.(\d+)/.exec(version)?.[1];
  return minor === undefined ? undefined : Number(minor);
}
