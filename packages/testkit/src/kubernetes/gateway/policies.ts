import { partsOf, type Controller, type Reconciling } from "../controllers/controller.ts";
import { specOf, statusOf } from "../kinds/in-spec.ts";
import { asObjects, equal, isObject, type JsonObject } from "../model/json.ts";
import { keyOf, type Stored } from "../model/object.ts";
import { controllerName, gatewayGroup, verdict, withVerdicts, type Verdict } from "./conditions.ts";

/** Policies of one kind: accepted when their target is there, in their own namespace, and no older one has it. */
export const policies = (resource: string): Controller => ({
  name: `envoy-gateway-${resource.split(".")[0]}`,
  manager: "envoy-gateway",
  keysOf: (event, { store }) => {
    const isPolicy = event.resource === resource;
    const isTarget =
      event.resource === `gateways.${gatewayGroup}` || event.resource === `httproutes.${gatewayGroup}`;
    const isComing = (event.object === undefined) !== (event.previous === undefined);
    if (!isPolicy && !(isTarget && isComing)) return [];
    const namespace = (event.object ?? event.previous)?.metadata.namespace;
    return store.list(resource, namespace).map(({ metadata }) => keyOf(metadata));
  },
  reconcile: (key, context) => {
    const [namespace, name] = partsOf(key);
    const policy = context.cluster.store.get(resource, namespace, name);
    if (!policy || policy.metadata.deletionTimestamp !== undefined) return;
    const ancestors = targetsOf(policy)
      .map((ref) => ancestorStatus(policy, ref, context, resource))
      .filter((status) => status !== undefined);
    context.actor.status(policy, { ...statusOf(policy), ancestors });
  },
});

const targetsOf = (policy: Stored): readonly JsonObject[] => {
  const { targetRef, targetRefs } = specOf(policy);
  return [...(isObject(targetRef) ? [targetRef] : []), ...asObjects(targetRefs)];
};

const age = ({ metadata }: Stored): string =>
  `${metadata.creationTimestamp} ${metadata.namespace}/${metadata.name}`;

function ancestorStatus(
  policy: Stored,
  ref: JsonObject,
  { cluster, now }: Reconciling,
  resource: string,
): JsonObject | undefined {
  const { namespace } = policy.metadata;
  const kind = cluster.registry.anyVersion(String(ref["group"]), String(ref["kind"]));
  const target = kind && cluster.store.get(kind.resource, namespace, String(ref["name"]));
  if (!target) return undefined;
  const rival = cluster.store
    .list(resource, namespace)
    .find((other) => age(other) < age(policy) && targetsOf(other).some((one) => equal(one, ref)));
  const accepted: Verdict = rival
    ? verdict(
        "Accepted",
        false,
        "Conflicted",
        `Unable to target ${String(ref["kind"])} ${String(ref["name"])}, another ${policy.kind} has already attached to it`,
      )
    : verdict("Accepted", true, "Accepted", "Policy has been accepted.");
  const { sectionName: _section, ...plain } = ref;
  const ancestorRef = {
    ...plain,
    namespace,
    ...(ref["sectionName"] !== undefined && { sectionName: ref["sectionName"] }),
  };
  const before = asObjects(statusOf(policy)["ancestors"]).find((one) =>
    equal(one["ancestorRef"], ancestorRef),
  );
  return {
    ancestorRef,
    controllerName,
    conditions: withVerdicts(asObjects(before?.["conditions"]), [accepted], policy, now()),
  };
}
