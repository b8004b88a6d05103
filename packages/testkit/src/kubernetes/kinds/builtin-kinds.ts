import { kubernetesSchemas } from "../schema/load-schemas.ts";
import type { Schema } from "../schema/schema.ts";
import { cronJobs, jobs } from "./batch.ts";
import { columnsOf } from "./columns.ts";
import { definitions } from "./definitions.ts";
import { extraSchemas } from "./extra-kinds.ts";
import type { Kind, NameRule, ScalePaths, Strategy } from "./kind.ts";
import { nodes } from "./nodes.ts";
import { configMaps, pods, secrets } from "./pods.ts";
import {
  autoscalers,
  disruptionBudgets,
  endpointSlices,
  limitRanges,
  namespaces,
  networkPolicies,
  priorityClasses,
  quotas,
  roleBindings,
  roles,
  storageClasses,
  volumeClaims,
} from "./policies.ts";
import { services } from "./services.ts";
import { daemonSets, deployments, replicaSets, statefulSets } from "./workloads.ts";

type Row = {
  readonly kind: string;
  readonly short?: string;
  readonly plural?: string;
  readonly cluster?: true;
  readonly status?: true;
  readonly generation?: true;
  readonly scale?: ScalePaths;
  readonly names?: NameRule;
  readonly all?: true;
  /** Must say its version when replaced. */
  readonly strict?: true;
  readonly fields?: readonly string[];
  readonly strategy?: Strategy;
};

const replicas: ScalePaths = {
  specReplicas: ["spec", "replicas"],
  statusReplicas: ["status", "replicas"],
  selector: ["spec", "selector"],
};
const workload = { status: true, generation: true, all: true } as const;
const podFields = [
  "spec.nodeName",
  "spec.restartPolicy",
  "spec.schedulerName",
  "spec.serviceAccountName",
  "status.phase",
  "status.podIP",
];
const eventFields = [
  "involvedObject.kind",
  "involvedObject.namespace",
  "involvedObject.name",
  "involvedObject.uid",
  "involvedObject.apiVersion",
  "reason",
  "reportingComponent",
  "source",
  "type",
];

/** Which kinds the server has, by group and version, in the words of the documentation. */
const table: Readonly<Record<string, readonly Row[]>> = {
  "/v1": [
    { kind: "ConfigMap", short: "cm", strategy: configMaps },
    { kind: "Endpoints", short: "ep", plural: "endpoints" },
    { kind: "Event", short: "ev", fields: eventFields },
    { kind: "LimitRange", short: "limits", strategy: limitRanges },
    {
      kind: "Namespace",
      short: "ns",
      cluster: true,
      status: true,
      names: "label",
      fields: ["status.phase"],
      strategy: namespaces,
    },
    {
      kind: "Node",
      short: "no",
      cluster: true,
      status: true,
      fields: ["spec.unschedulable"],
      strategy: nodes,
    },
    { kind: "PersistentVolumeClaim", short: "pvc", status: true, strategy: volumeClaims },
    {
      kind: "Pod",
      short: "po",
      status: true,
      generation: true,
      all: true,
      fields: podFields,
      strategy: pods,
    },
    { kind: "ResourceQuota", short: "quota", status: true, strategy: quotas },
    { kind: "Secret", fields: ["type"], strategy: secrets },
    {
      kind: "Service",
      short: "svc",
      status: true,
      all: true,
      names: "service",
      fields: ["spec.clusterIP", "spec.type"],
      strategy: services,
    },
    { kind: "ServiceAccount", short: "sa" },
  ],
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

function schemasByKind(): ReadonlyMap<string, Schema> {
  const all = { ...kubernetesSchemas(), ...extraSchemas() };
  return new Map(
    Object.values(all).flatMap((schema) =>
      (schema["x-kubernetes-group-version-kind"] ?? []).map(
        ({ group, version, kind }) =>
          [`${String(group)}/${String(version)}/${String(kind)}`, schema] as const,
      ),
    ),
  );
}

export function builtinKinds(): readonly Kind[] {
  const schemas = schemasByKind();
  return Object.entries(table).flatMap(([groupVersion, rows]) => {
    const [group = "", version = ""] = groupVersion.split("/");
    return rows.map((row): Kind => {
      const schema = schemas.get(`${groupVersion}/${row.kind}`);
      if (!schema) throw new Error(`no schema of ${groupVersion}/${row.kind}`);
      return toKind(row, { group, version, schema });
    });
  });
}

function toKind(
  row: Row,
  { group, version, schema }: { group: string; version: string; schema: Schema },
): Kind {
  const singular = row.kind.toLowerCase();
  const plural = row.plural ?? `${singular}s`;
  return {
    group,
    version,
    kind: row.kind,
    plural,
    singular,
    listKind: `${row.kind}List`,
    shortNames: row.short?.split(",") ?? [],
    categories: row.all ? ["all"] : [],
    namespaced: !row.cluster,
    resource: group ? `${plural}.${group}` : plural,
    schema,
    isCustom: false,
    hasStatus: row.status ?? false,
    hasGeneration: row.generation ?? false,
    isGraceful: row.kind === "Pod",
    allowsBlindUpdate: !row.strict,
    nameRule: row.names ?? "subdomain",
    scale: row.scale,
    columns: columnsOf(row.kind),
    selectableFields: row.fields ?? [],
    strategy: row.strategy ?? {},
  };
}
