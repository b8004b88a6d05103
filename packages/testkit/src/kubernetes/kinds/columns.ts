import { statusOf, specOf } from "./in-spec.ts";
import { asObject, asObjects, asStrings, at } from "../model/json.ts";
import { selectorText } from "../model/label-selector.ts";
import type { Column } from "./kind.ts";
import {
  ageColumn,
  amounts,
  count,
  external,
  field,
  jobStatus,
  nameColumn,
  nodeStatus,
  number,
  ports,
  readyOf,
  since,
  text,
  wide,
} from "./column-cells.ts";
import { podColumns } from "./pod-columns.ts";

/** What `kubectl get` shows of a kind between its name and its age. */
const middle: Readonly<Record<string, readonly Column[]>> = {
  Deployment: [
    text("Ready", (object) => readyOf(object, number(object, "spec", "replicas"))),
    count("Up-to-date", "status", "updatedReplicas"),
    count("Available", "status", "availableReplicas"),
  ],
  ReplicaSet: [
    count("Desired", "spec", "replicas"),
    count("Current", "status", "replicas"),
    count("Ready", "status", "readyReplicas"),
  ],
  StatefulSet: [text("Ready", (object) => readyOf(object, number(object, "spec", "replicas")))],
  DaemonSet: [
    count("Desired", "status", "desiredNumberScheduled"),
    count("Current", "status", "currentNumberScheduled"),
    count("Ready", "status", "numberReady"),
    count("Up-to-date", "status", "updatedNumberScheduled"),
    count("Available", "status", "numberAvailable"),
  ],
  Job: [
    text("Status", jobStatus),
    text(
      "Completions",
      (job) => `${number(job, "status", "succeeded")}/${number(job, "spec", "completions")}`,
    ),
  ],
  CronJob: [
    field("Schedule", ".spec.schedule"),
    field("Timezone", ".spec.timeZone"),
    text("Suspend", (cron) => (specOf(cron)["suspend"] === true ? "True" : "False")),
    { name: "Active", type: "integer", path: "", cell: (cron) => asObjects(statusOf(cron)["active"]).length },
    text("Last Schedule", (cron, now) => since(statusOf(cron)["lastScheduleTime"], now)),
  ],
  Service: [
    field("Type", ".spec.type"),
    field("Cluster-IP", ".spec.clusterIP"),
    text("External-IP", external),
    text("Port(s)", ports),
  ],
  Namespace: [field("Status", ".status.phase")],
  Node: [text("Status", nodeStatus), text("Roles", () => "<none>")],
  ConfigMap: [
    {
      name: "Data",
      type: "integer",
      path: "",
      cell: (map) => Object.keys({ ...asObject(map["data"]), ...asObject(map["binaryData"]) }).length,
    },
  ],
  Secret: [
    field("Type", ".type"),
    {
      name: "Data",
      type: "integer",
      path: "",
      cell: (secret) => Object.keys(asObject(secret["data"])).length,
    },
  ],
  HorizontalPodAutoscaler: [
    text(
      "Reference",
      (scaler) =>
        `${String(at(scaler, "spec", "scaleTargetRef", "kind"))}/${String(at(scaler, "spec", "scaleTargetRef", "name"))}`,
    ),
    count("MinPods", "spec", "minReplicas"),
    count("MaxPods", "spec", "maxReplicas"),
    count("Replicas", "status", "currentReplicas"),
  ],
  PodDisruptionBudget: [
    text("Min Available", (budget) => String(specOf(budget)["minAvailable"] ?? "N/A")),
    text("Max Unavailable", (budget) => String(specOf(budget)["maxUnavailable"] ?? "N/A")),
    count("Allowed Disruptions", "status", "disruptionsAllowed"),
  ],
  NetworkPolicy: [text("Pod-Selector", (policy) => selectorText(specOf(policy)["podSelector"]) || "<none>")],
  PersistentVolumeClaim: [
    field("Status", ".status.phase"),
    field("Volume", ".spec.volumeName"),
    field("Capacity", ".status.capacity.storage"),
    text("Access Modes", (claim) => asStrings(specOf(claim)["accessModes"]).join(",")),
    field("StorageClass", ".spec.storageClassName"),
  ],
  Lease: [field("Holder", ".spec.holderIdentity")],
  ResourceQuota: [
    text("Request", (quota) => amounts(quota, /^(?!limits\.)/)),
    text("Limit", (quota) => amounts(quota, /^limits\./)),
  ],
  EndpointSlice: [
    field("AddressType", ".addressType"),
    text(
      "Ports",
      (slice) =>
        asObjects(slice["ports"])
          .map(({ port }) => port)
          .join(",") || "<unset>",
    ),
    text(
      "Endpoints",
      (slice) =>
        asObjects(slice["endpoints"])
          .flatMap(({ addresses }) => asStrings(addresses))
          .join(",") || "<unset>",
    ),
  ],
};

const eventColumns: readonly Column[] = [
  text("Last Seen", (event, now) => since(event["lastTimestamp"], now)),
  field("Type", ".type"),
  field("Reason", ".reason"),
  text(
    "Object",
    (event) =>
      `${String(at(event, "involvedObject", "kind")).toLowerCase()}/${String(at(event, "involvedObject", "name"))}`,
  ),
  text("Message", (event) => String(event["message"]).trim()),
];

export function columnsOf(kind: string): readonly Column[] {
  if (kind === "Event") return eventColumns;
  if (kind === "Pod") return podColumns;
  const isWorkload = ["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"].includes(kind);
  const version = kind === "Node" ? [field("Version", ".status.nodeInfo.kubeletVersion")] : [];
  return [nameColumn, ...(middle[kind] ?? []), ageColumn, ...version, ...(isWorkload ? wide : [])];
}
