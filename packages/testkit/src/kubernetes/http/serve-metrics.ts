import type { Cluster } from "../cluster.ts";
import { specOf } from "../kinds/in-spec.ts";
import { notFound } from "../model/api-error.ts";
import { asObjects, type JsonObject } from "../model/json.ts";
import { timestamp, type Stored } from "../model/object.ts";
import { labelMatcher } from "../model/selectors.ts";
import { formatQuantity, parseQuantity } from "../model/quantity.ts";
import type { ApiRequest, ApiResponse } from "./api-request.ts";

export const metricsKinds = [
  { group: "metrics.k8s.io", version: "v1beta1", plural: "nodes", kind: "NodeMetrics", namespaced: false },
  { group: "metrics.k8s.io", version: "v1beta1", plural: "pods", kind: "PodMetrics", namespaced: true },
] as const;

/** There are metrics where somebody has registered a server of them. */
export const hasMetrics = ({ store }: Cluster): boolean =>
  store.get("apiservices.apiregistration.k8s.io", undefined, "v1beta1.metrics.k8s.io") !== undefined;

const apiVersion = "metrics.k8s.io/v1beta1";
const windowText = "15.5s";

const stamp = ({ metadata }: Stored, now: Date): JsonObject => ({
  metadata: {
    name: metadata.name,
    ...(metadata.namespace !== undefined && { namespace: metadata.namespace }),
    creationTimestamp: timestamp(now),
    ...(metadata.labels && { labels: metadata.labels }),
  },
  timestamp: timestamp(now),
  window: windowText,
});

/** A pod's use, when every container of it has a script. */
function podMetrics(pod: Stored, { metrics, clock }: Cluster): JsonObject | undefined {
  const containers = asObjects(specOf(pod)["containers"]).map((container) => ({
    name: container["name"],
    usage: metrics.usage(pod, container),
  }));
  if (containers.some(({ usage }) => usage === undefined)) return undefined;
  return {
    kind: "PodMetrics",
    apiVersion,
    ...stamp(pod, clock.now()),
    containers: containers as unknown as readonly JsonObject[],
  };
}

/** A node uses what its pods do. */
function nodeMetrics(node: Stored, { store, metrics, clock }: Cluster): JsonObject {
  const pods = store.list("pods").filter((pod) => specOf(pod)["nodeName"] === node.metadata.name);
  const usages = pods.flatMap((pod) =>
    asObjects(specOf(pod)["containers"]).flatMap((container) => metrics.usage(pod, container) ?? []),
  );
  const total = (name: "cpu" | "memory") =>
    usages.reduce((sum, usage) => sum + (parseQuantity(usage[name]) ?? 0n), 0n);
  return {
    kind: "NodeMetrics",
    apiVersion,
    ...stamp(node, clock.now()),
    usage: {
      cpu: formatQuantity(total("cpu"), "decimal"),
      memory: formatQuantity(total("memory"), "binary"),
    },
  };
}

/** The metrics API: what pods and nodes use just now. */
export function serveMetrics({ path, query }: ApiRequest, cluster: Cluster): ApiResponse | undefined {
  const match =
    /^\/apis\/metrics\.k8s\.io\/v1beta1\/(?:namespaces\/([^/]+)\/)?(pods|nodes)(?:\/([^/]+))?$/.exec(path);
  if (!match || !hasMetrics(cluster)) return undefined;
  const [, namespace, plural = "", name] = match;
  const matches = labelMatcher(query.get("labelSelector"));
  const show = plural === "pods" ? podMetrics : nodeMetrics;
  const found = cluster.store
    .list(plural, namespace)
    .filter((object) => matches(object) && (name === undefined || object.metadata.name === name));
  const items = found.map((object) => show(object, cluster)).filter((item) => item !== undefined);
  if (name !== undefined && !items[0]) throw notFound({ group: "metrics.k8s.io", plural, kind: "" }, name);
  if (name !== undefined) return { status: 200, body: items[0] ?? {} };
  return {
    status: 200,
    body: { kind: plural === "pods" ? "PodMetricsList" : "NodeMetricsList", apiVersion, metadata: {}, items },
  };
}
