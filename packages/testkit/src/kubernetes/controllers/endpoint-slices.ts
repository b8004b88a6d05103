import { specOf, statusOf } from "../kinds/in-spec.ts";
import { asMap, asObjects, equal, type Json, type JsonObject } from "../model/json.ts";
import { matchesLabels } from "../model/label-selector.ts";
import { keyOf, type Stored } from "../model/object.ts";
import { partsOf, type Controller, type Reconciling } from "./controller.ts";
import { controlled, ownerOf } from "./owned.ts";
import { isFinished, isReady } from "./pod-state.ts";
import type { SelectorIndex } from "./selector-index.ts";

export const isBehind = (pod: Stored, service: Stored): boolean => {
  const selector = asMap(specOf(service)["selector"]);
  return Object.keys(selector).length > 0 && matchesLabels(selector, pod.metadata.labels ?? {});
};

/** What of a pod an endpoint shows. */
const shown = (pod: Stored): readonly unknown[] => [
  statusOf(pod)["podIP"],
  isReady(pod),
  isFinished(pod),
  pod.metadata.deletionTimestamp,
  pod.metadata.labels,
];

/** Services: the addresses of the pods behind them, ready or not, and a load balancer's own. */
export const endpointSlices = (services: SelectorIndex): Controller => ({
  name: "endpoint-slice-controller",
  manager: "kube-controller-manager",
  keysOf: ({ resource, key, object, previous }) => {
    if (resource === "services") return [key];
    if (resource !== "pods") return [];
    const isSame =
      object && previous && shown(object).every((value, index) => value === shown(previous)[index]);
    if (isSame) return [];
    return [object, previous]
      .flatMap((pod) => (pod ? services.selecting(pod) : []))
      .map(({ metadata }) => keyOf(metadata));
  },
  reconcile: (key, context) => {
    const [namespace, name] = partsOf(key);
    const service = context.cluster.store.get("services", namespace, name);
    if (!service || service.metadata.deletionTimestamp !== undefined) return;
    balance(service, context);
    if (specOf(service)["selector"] !== undefined) slice(service, context);
  },
});

/** The port's number in the pod: given, or that of the container port of this name. */
function targetPort(port: JsonObject, pods: readonly Stored[]): Json | undefined {
  const target = port["targetPort"] ?? port["port"];
  if (typeof target === "number") return target;
  return pods
    .flatMap((pod) => asObjects(specOf(pod)["containers"]))
    .flatMap((container) => asObjects(container["ports"]))
    .find(({ name }) => name === target)?.["containerPort"];
}

function endpoint(pod: Stored, service: Stored): JsonObject {
  const isTerminating = pod.metadata.deletionTimestamp !== undefined;
  const serving = isReady(pod);
  const ready = (serving && !isTerminating) || specOf(service)["publishNotReadyAddresses"] === true;
  return {
    addresses: [statusOf(pod)["podIP"] ?? ""],
    conditions: { ready, serving, terminating: isTerminating },
    nodeName: specOf(pod)["nodeName"],
    targetRef: {
      kind: "Pod",
      namespace: pod.metadata.namespace,
      name: pod.metadata.name,
      uid: pod.metadata.uid,
    },
  };
}

function slice(service: Stored, context: Reconciling): void {
  const { cluster, actor } = context;
  const pods = cluster.store
    .list("pods", service.metadata.namespace)
    .filter((pod) => isBehind(pod, service) && statusOf(pod)["podIP"] !== undefined && !isFinished(pod));
  const content = {
    addressType: "IPv4",
    endpoints: pods.map((pod) => endpoint(pod, service)),
    ports: asObjects(specOf(service)["ports"]).map((port) => ({
      name: port["name"] ?? "",
      protocol: port["protocol"] ?? "TCP",
      port: targetPort(port, pods),
      ...(port["appProtocol"] !== undefined && { appProtocol: port["appProtocol"] }),
    })),
  };
  const [live] = controlled(service, "endpointslices.discovery.k8s.io", cluster);
  if (live && Object.entries(content).every(([field, value]) => equal(live[field], value))) return;
  if (live) return void actor.update(live, { ...live, ...content });
  actor.create({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      generateName: `${service.metadata.name}-`,
      namespace: service.metadata.namespace,
      labels: {
        ...service.metadata.labels,
        "kubernetes.io/service-name": service.metadata.name,
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
      },
      ownerReferences: [ownerOf(service)],
    },
    ...content,
  });
}

/** A load balancer gets its address as soon as it is asked for; the number comes from its node port. */
function balance(service: Stored, { actor }: Reconciling): void {
  const isWanted = specOf(service)["type"] === "LoadBalancer";
  const has =
    asObjects((statusOf(service)["loadBalancer"] as JsonObject | undefined)?.["ingress"]).length > 0;
  if (isWanted === has) return;
  const port = Number(asObjects(specOf(service)["ports"])[0]?.["nodePort"] ?? 0);
  const ingress = [{ ip: `203.0.113.${1 + (port % 254)}`, ipMode: "VIP" }];
  actor.status(service, { ...statusOf(service), loadBalancer: isWanted ? { ingress } : {} });
}
