import type { Row } from "./kind-row.ts";
import { nodes } from "./nodes.ts";
import { namespaces } from "./plain-kinds.ts";
import { configMaps, pods, secrets } from "./pods.ts";
import { limitRanges, quotas, volumeClaims } from "./policies.ts";
import { services } from "./services.ts";

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

/** The kinds of the core group. */
export const coreRows: readonly Row[] = [
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
    names: "label",
    fields: ["spec.clusterIP", "spec.type"],
    strategy: services,
  },
  { kind: "ServiceAccount", short: "sa" },
];
