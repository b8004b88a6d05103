import { specOf, statusOf } from "../kinds/in-spec.ts";
import { asObjects, asStrings, type JsonObject } from "../model/json.ts";
import { timestamp, withMeta, type Stored } from "../model/object.ts";
import type { Controller, Reconciling } from "./controller.ts";
import { withCondition } from "./pod-state.ts";

const resource = "customresourcedefinitions.apiextensions.k8s.io";
const finalizer = "customresourcecleanup.apiextensions.k8s.io";

/** Custom resource definitions: a new one is served at once; one that goes takes its objects along. */
export const customDefinitions: Controller = {
  name: "customresource-controller",
  manager: "kube-apiserver",
  keysOf: (event, { store }) => {
    if (event.resource === resource) return [event.key];
    // A definition that goes waits for the last of its objects.
    return event.object === undefined &&
      store.get(resource, undefined, event.resource)?.metadata.deletionTimestamp !== undefined
      ? [event.resource]
      : [];
  },
  reconcile: (name, context) => {
    const definition = context.cluster.store.get(resource, undefined, name);
    if (!definition) return;
    if (definition.metadata.deletionTimestamp === undefined) serve(definition, context);
    else tearDown(definition, context);
  },
};

function serve(definition: Stored, { cluster, actor, now }: Reconciling): void {
  const time = timestamp(now());
  const held = definition.metadata.finalizers?.includes(finalizer)
    ? definition
    : actor.update(
        definition,
        withMeta(definition, { finalizers: [...(definition.metadata.finalizers ?? []), finalizer] }),
      );
  cluster.registry.define(held);
  const conditions = [
    { type: "NamesAccepted", status: "True", reason: "NoConflicts", message: "no conflicts found" },
    {
      type: "Established",
      status: "True",
      reason: "InitialNamesAccepted",
      message: "the initial names have been accepted",
    },
  ].reduce<readonly JsonObject[]>(
    (all, one) => withCondition(all, one, time),
    asObjects(statusOf(held)["conditions"]),
  );
  const stored = asObjects(specOf(held)["versions"])
    .filter(({ storage }) => storage === true)
    .map(({ name }) => String(name));
  actor.status(held, {
    conditions,
    acceptedNames: specOf(held)["names"],
    storedVersions: [...new Set([...asStrings(statusOf(held)["storedVersions"]), ...stored])],
  });
}

function tearDown(definition: Stored, { cluster, actor }: Reconciling): void {
  const objects = cluster.store.list(definition.metadata.name);
  for (const object of objects) if (object.metadata.deletionTimestamp === undefined) actor.remove(object);
  if (cluster.store.list(definition.metadata.name).length > 0) return;
  cluster.registry.undefine(definition);
  const rest = (definition.metadata.finalizers ?? []).filter((one) => one !== finalizer);
  actor.update(definition, withMeta(definition, { finalizers: rest.length > 0 ? rest : undefined }));
}
