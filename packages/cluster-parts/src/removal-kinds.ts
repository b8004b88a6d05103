import type { KindRef } from "@starform/kubernetes/kube-api";
import { managedByLabel } from "./ownership.ts";

/** What Shuttle made. */
export const byShuttle = `${managedByLabel}=shuttle`;
export const kind = (apiVersion: string, name: string): KindRef => ({ apiVersion, kind: name });
export const namespaceKind = kind("v1", "Namespace");
export const claimKind = kind("v1", "PersistentVolumeClaim");
export const gatewayKind = kind("gateway.networking.k8s.io/v1", "Gateway");
export const definitionKind = kind("apiextensions.k8s.io/v1", "CustomResourceDefinition");

/** What Shuttle makes besides namespaces and claims; addresses first, so that nobody is sent to what is going. */
export const shuttleKinds: readonly KindRef[] = [
  kind("gateway.networking.k8s.io/v1", "HTTPRoute"),
  kind("autoscaling/v2", "HorizontalPodAutoscaler"),
  kind("policy/v1", "PodDisruptionBudget"),
  kind("batch/v1", "CronJob"),
  kind("apps/v1", "Deployment"),
  kind("v1", "Service"),
  kind("networking.k8s.io/v1", "NetworkPolicy"),
  kind("v1", "ConfigMap"),
  kind("v1", "Secret"),
  kind("rbac.authorization.k8s.io/v1", "RoleBinding"),
  kind("rbac.authorization.k8s.io/v1", "Role"),
  kind("v1", "ServiceAccount"),
  kind("v1", "ResourceQuota"),
  kind("v1", "LimitRange"),
  kind("gateway.envoyproxy.io/v1alpha1", "BackendTrafficPolicy"),
  kind("gateway.envoyproxy.io/v1alpha1", "ClientTrafficPolicy"),
];
/** What somebody else may have put into a project's namespace, and would lose with it. */
export const foreignKinds: readonly KindRef[] = [
  claimKind,
  kind("apps/v1", "Deployment"),
  kind("apps/v1", "StatefulSet"),
  kind("apps/v1", "DaemonSet"),
  kind("batch/v1", "CronJob"),
  kind("batch/v1", "Job"),
  kind("v1", "Pod"),
  kind("v1", "Service"),
  kind("v1", "ConfigMap"),
  kind("v1", "Secret"),
];
/** Kubernetes puts these into every namespace. */
export const byKubernetes: ReadonlySet<string> = new Set(["kube-root-ca.crt", "openshift-service-ca.crt"]);
/** What a bootstrap makes, in the reverse of its order; namespaces and definitions come after. */
export const ownKinds: readonly KindRef[] = [
  kind("gateway.networking.k8s.io/v1", "GatewayClass"),
  kind("apiregistration.k8s.io/v1", "APIService"),
  kind("policy/v1", "PodDisruptionBudget"),
  kind("apps/v1", "DaemonSet"),
  kind("apps/v1", "Deployment"),
  kind("batch/v1", "Job"),
  kind("v1", "Service"),
  kind("networking.k8s.io/v1", "NetworkPolicy"),
  kind("v1", "ConfigMap"),
  kind("v1", "Secret"),
  kind("v1", "PersistentVolumeClaim"),
  kind("rbac.authorization.k8s.io/v1", "RoleBinding"),
  kind("rbac.authorization.k8s.io/v1", "Role"),
  kind("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"),
  kind("rbac.authorization.k8s.io/v1", "ClusterRole"),
  kind("v1", "ServiceAccount"),
];
