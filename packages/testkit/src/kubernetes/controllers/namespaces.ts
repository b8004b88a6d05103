import { specOf, statusOf } from "../kinds/in-spec.ts";
import { asObjects, asStrings, type JsonObject } from "../model/json.ts";
import { timestamp, type Stored } from "../model/object.ts";
import { finishDeletion } from "../verbs/finish-deletion.ts";
import { own, type Controller, type Reconciling } from "./controller.ts";
import { withCondition } from "./pod-state.ts";

/** Namespaces that go are emptied first, and every other one has a service account and the cluster's certificate. */
export const namespaces: Controller = {
  name: "namespace-controller",
  manager: "kube-controller-manager",
  keysOf: (event, { store }) => {
    if (event.resource === "namespaces") return own("namespaces")(event);
    const namespace = (event.object ?? event.previous)?.metadata.namespace;
    if (event.object !== undefined || namespace === undefined) return [];
    const isGoing = store.get("namespaces", undefined, namespace)?.metadata.deletionTimestamp !== undefined;
    const isFurniture = event.resource === "serviceaccounts" || event.resource === "configmaps";
    return isGoing || isFurniture ? [namespace] : [];
  },
  reconcile: (name, context) => {
    const namespace = context.cluster.store.get("namespaces", undefined, name);
    if (!namespace) return;
    if (namespace.metadata.deletionTimestamp === undefined) furnish(name, context);
    else empty(namespace, context);
  },
};

function furnish(namespace: string, { cluster, actor }: Reconciling): void {
  if (!cluster.store.get("serviceaccounts", namespace, "default"))
    actor.create({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default", namespace } });
  if (!cluster.store.get("configmaps", namespace, "kube-root-ca.crt"))
    actor.create({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: {
        name: "kube-root-ca.crt",
        namespace,
        annotations: {
          "kubernetes.io/description":
            "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.",
        },
      },
      data: { "ca.crt": "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n" },
    });
}

function empty(namespace: Stored, context: Reconciling): void {
  const { cluster, actor } = context;
  const name = namespace.metadata.name;
  const contents = (): readonly (readonly [string, readonly Stored[]])[] =>
    cluster.store
      .resources()
      .map(
        (resource) =>
          [
            resource,
            cluster.registry.ofResource(resource)?.namespaced ? cluster.store.list(resource, name) : [],
          ] as const,
      );
  for (const [, objects] of contents())
    for (const object of objects)
      if (object.metadata.deletionTimestamp === undefined)
        actor.remove(object, { propagationPolicy: "Background" });
  const left = contents().filter(([, objects]) => objects.length > 0);
  const live = cluster.store.get("namespaces", undefined, name);
  if (!live) return;
  const told = actor.status(live, statusWith(live, left, timestamp(context.now())));
  if (left.length > 0) return;
  const finalizers = asStrings(specOf(told)["finalizers"]).filter((one) => one !== "kubernetes");
  const kind = cluster.registry.ofResource("namespaces");
  const released = cluster.store.write("namespaces", {
    ...told,
    spec: finalizers.length > 0 ? { finalizers } : {},
  });
  if (kind) finishDeletion(released, kind, cluster);
}

type Contents = readonly (readonly [string, readonly Stored[]])[];

/** Why a namespace is still there. */
function statusWith(namespace: Stored, left: Contents, time: string): JsonObject {
  const resources = left.map(
    ([resource, objects]) =>
      `${resource.includes(".") ? resource : `${resource}.`} has ${objects.length} resource instances`,
  );
  const finalizers = [
    ...Map.groupBy(
      left.flatMap(([, objects]) => objects.flatMap(({ metadata }) => metadata.finalizers ?? [])),
      (one) => one,
    ),
  ];
  const held = finalizers.map(([one, all]) => `${one} in ${all.length} resource instances`);
  const conditions = [
    {
      type: "NamespaceDeletionDiscoveryFailure",
      status: "False",
      reason: "ResourcesDiscovered",
      message: "All resources successfully discovered",
    },
    {
      type: "NamespaceDeletionGroupVersionParsingFailure",
      status: "False",
      reason: "ParsedGroupVersions",
      message: "All legacy kube types successfully parsed",
    },
    {
      type: "NamespaceDeletionContentFailure",
      status: "False",
      reason: "ContentDeleted",
      message: "All content successfully deleted, may be waiting on finalization",
    },
    resources.length > 0
      ? {
          type: "NamespaceContentRemaining",
          status: "True",
          reason: "SomeResourcesRemain",
          message: `Some resources are remaining: ${resources.join(", ")}`,
        }
      : {
          type: "NamespaceContentRemaining",
          status: "False",
          reason: "ContentRemoved",
          message: "All content successfully removed",
        },
    held.length > 0
      ? {
          type: "NamespaceFinalizersRemaining",
          status: "True",
          reason: "SomeFinalizersRemain",
          message: `Some content in the namespace has finalizers remaining: ${held.join(", ")}`,
        }
      : {
          type: "NamespaceFinalizersRemaining",
          status: "False",
          reason: "ContentHasNoFinalizers",
          message: "All content-preserving finalizers finished",
        },
  ];
  const all = conditions.reduce<readonly JsonObject[]>(
    (sum, one) => withCondition(sum, one, time),
    asObjects(statusOf(namespace)["conditions"]),
  );
  return { ...statusOf(namespace), phase: "Terminating", conditions: all };
}
