import type { KindRef } from "@starform/kubernetes/kube-api";
import { gatewayNamespace } from "../manifests/names.ts";

/** How a kind that Shuttle makes is watched: of most, the metadata tells all there is to know. */
export type OwnedKind = KindRef & {
  /** As metrics call it. */
  readonly resource: string;
  readonly isWhole?: boolean;
  /** The only namespace it is made in, and may be looked at. */
  readonly namespace?: string;
};

const kind = (apiVersion: string, name: string, resource: string, isWhole = false): OwnedKind => ({
  apiVersion,
  kind: name,
  resource,
  isWhole,
});
const network = "gateway.networking.k8s.io/v1";
const envoy = "gateway.envoyproxy.io/v1alpha1";

export const deploymentKind = kind("apps/v1", "Deployment", "deployments", true);
export const replicaSetKind = kind("apps/v1", "ReplicaSet", "replicasets", true);
export const podKind = kind("v1", "Pod", "pods", true);
export const cronJobKind = kind("batch/v1", "CronJob", "cronjobs", true);
export const jobKind = kind("batch/v1", "Job", "jobs", true);
export const namespaceKind = kind("v1", "Namespace", "namespaces");
export const configMapKind = kind("v1", "ConfigMap", "configmaps");
export const secretKind = kind("v1", "Secret", "secrets");
export const volumeClaimKind = kind("v1", "PersistentVolumeClaim", "persistentvolumeclaims");
export const httpRouteKind = kind(network, "HTTPRoute", "httproutes");

/** Kinds that Shuttle applies, each with an informer. Bodies of ConfigMaps and Secrets never reach this process. */
export const appliedKinds: readonly OwnedKind[] = [
  namespaceKind,
  kind("v1", "ServiceAccount", "serviceaccounts"),
  kind("rbac.authorization.k8s.io/v1", "Role", "roles"),
  kind("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings"),
  kind("v1", "ResourceQuota", "resourcequotas"),
  kind("v1", "LimitRange", "limitranges"),
  kind("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies"),
  configMapKind,
  secretKind,
  volumeClaimKind,
  kind("v1", "Service", "services"),
  kind("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets"),
  deploymentKind,
  cronJobKind,
  kind("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"),
  httpRouteKind,
  ...[
    kind(envoy, "EnvoyProxy", "envoyproxies"),
    kind(network, "Gateway", "gateways"),
    kind(envoy, "ClientTrafficPolicy", "clienttrafficpolicies"),
    kind(envoy, "BackendTrafficPolicy", "backendtrafficpolicies"),
  ].map((each) => ({ ...each, namespace: gatewayNamespace })),
];

/** What belongs to one service and goes with it. A volume claim is not among them: what is in it is the customer's. */
export const collectableKinds: ReadonlySet<string> = new Set([
  "HTTPRoute",
  "HorizontalPodAutoscaler",
  "PodDisruptionBudget",
  "Deployment",
  "CronJob",
  "Service",
  "ConfigMap",
  "Secret",
]);

export const kindRefOf = (name: string): KindRef => {
  const found = appliedKinds.find((each) => each.kind === name);
  if (!found) throw new Error(`Shuttle makes no ${name}`);
  return { apiVersion: found.apiVersion, kind: found.kind };
};
