import { cronJobs, jobs } from "./batch.ts";
import { definitions } from "./definitions.ts";
import { coreRows } from "./core-rows.ts";
import type { ScalePaths } from "./kind.ts";
import type { Row } from "./kind-row.ts";
import { endpointSlices, priorityClasses, roleBindings, roles, storageClasses } from "./plain-kinds.ts";
import { autoscalers, disruptionBudgets, networkPolicies } from "./policies.ts";
import { daemonSets, deployments, replicaSets, statefulSets } from "./workloads.ts";

const replicas: ScalePaths = {
  specReplicas: ["spec", "replicas"],
  statusReplicas: ["status", "replicas"],
  selector: ["spec", "selector"],
};
const workload = { status: true, generation: true, all: true } as const;
/** Which kinds the server has, by group and version, in the words of the documentation. */
export const builtinTable: Readonly<Record<string, readonly Row[]>> = {
  "/v1": coreRows,
  "apps/v1": [
    { kind: "DaemonSet", short: "ds", ...workload, strategy: daemonSets },
    { kind: "Deployment", short: "deploy", ...workload, scale: replicas, strategy: deployments },
    {
      kind: "ReplicaSet",
      short: "rs",
      ...workload,
      scale: replicas,
      fields: ["status.replicas"],
      strategy: replicaSets,
    },
    { kind: "StatefulSet", short: "sts", ...workload, scale: replicas, strategy: statefulSets },
  ],
  "batch/v1": [
    { kind: "CronJob", short: "cj", ...workload, strategy: cronJobs },
    { kind: "Job", ...workload, fields: ["status.successful"], strategy: jobs },
  ],
  "autoscaling/v2": [
    { kind: "HorizontalPodAutoscaler", short: "hpa", status: true, all: true, strategy: autoscalers },
  ],
  "networking.k8s.io/v1": [
    {
      kind: "NetworkPolicy",
      short: "netpol",
      plural: "networkpolicies",
      generation: true,
      strategy: networkPolicies,
    },
  ],
  "policy/v1": [
    {
      kind: "PodDisruptionBudget",
      short: "pdb",
      status: true,
      generation: true,
      strategy: disruptionBudgets,
    },
  ],
  "rbac.authorization.k8s.io/v1": [
    { kind: "ClusterRoleBinding", cluster: true, names: "segment", strategy: roleBindings },
    { kind: "ClusterRole", cluster: true, names: "segment", strategy: roles },
    { kind: "RoleBinding", names: "segment", strategy: roleBindings },
    { kind: "Role", names: "segment", strategy: roles },
  ],
  "coordination.k8s.io/v1": [{ kind: "Lease" }],
  "scheduling.k8s.io/v1": [
    {
      kind: "PriorityClass",
      short: "pc",
      plural: "priorityclasses",
      cluster: true,
      strategy: priorityClasses,
    },
  ],
  "node.k8s.io/v1": [{ kind: "RuntimeClass", plural: "runtimeclasses", cluster: true }],
  "storage.k8s.io/v1": [
    { kind: "StorageClass", short: "sc", plural: "storageclasses", cluster: true, strategy: storageClasses },
  ],
  "discovery.k8s.io/v1": [{ kind: "EndpointSlice", generation: true, strategy: endpointSlices }],
  "apiextensions.k8s.io/v1": [
    {
      kind: "CustomResourceDefinition",
      short: "crd,crds",
      cluster: true,
      status: true,
      generation: true,
      strict: true,
      strategy: definitions,
    },
  ],
  "apiregistration.k8s.io/v1": [{ kind: "APIService", cluster: true, status: true, strict: true }],
};
