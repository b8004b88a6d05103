import { own, partsOf, type Controller, type Reconciling } from "../controllers/controller.ts";
import { specOf, statusOf } from "../kinds/in-spec.ts";
import { asObject, asObjects, equal, type JsonObject } from "../model/json.ts";
import { keyOf, type Stored } from "../model/object.ts";
import { attach, isParent, isRefused, parentsOf } from "./attachment.ts";
import { controllerName, gatewayGroup, verdict, withVerdicts, type Verdict } from "./conditions.ts";

const resource = `httproutes.${gatewayGroup}`;

/** HTTP routes: for each parent whether it takes the route, and whether what the route sends to is there. */
export const httpRoutes: Controller = {
  name: "envoy-gateway-routes",
  manager: "envoy-gateway",
  keysOf: (event, { store }) => {
    if (event.resource === resource) return own(resource)(event);
    const namespace = (event.object ?? event.previous)?.metadata.namespace;
    const isComing = (event.object === undefined) !== (event.previous === undefined);
    // A service matters when it comes, goes, or changes its ports; a gateway or a namespace's labels may matter to any route.
    if (event.resource === "services" && (isComing || event.object?.["spec"] !== event.previous?.["spec"]))
      return store.list(resource, namespace).map(({ metadata }) => keyOf(metadata));
    const isSpec = event.object?.["spec"] !== event.previous?.["spec"];
    if (event.resource === `gateways.${gatewayGroup}` && isSpec)
      return store.list(resource).map(({ metadata }) => keyOf(metadata));
    const labels = [event.object, event.previous].map((one) => one?.metadata.labels);
    if (event.resource === "namespaces" && !equal(labels[0] ?? {}, labels[1] ?? {}))
      return store.list(resource, event.key).map(({ metadata }) => keyOf(metadata));
    return [];
  },
  reconcile: (key, context) => {
    const [namespace, name] = partsOf(key);
    const route = context.cluster.store.get(resource, namespace, name);
    if (!route || route.metadata.deletionTimestamp !== undefined) return;
    const parents = parentsOf(route)
      .map((ref) => parentStatus(route, ref, context))
      .filter((status) => status !== undefined);
    const others = asObjects(statusOf(route)["parents"]).filter(
      (one) => one["controllerName"] !== controllerName,
    );
    context.actor.status(route, { parents: [...others, ...parents] });
  },
};

/** What the controller says of one parent; nothing of parents that are not its own. */
function parentStatus(route: Stored, ref: JsonObject, context: Reconciling): JsonObject | undefined {
  const { cluster, now } = context;
  const gateway = cluster.store.get(
    `gateways.${gatewayGroup}`,
    String(ref["namespace"] ?? route.metadata.namespace),
    String(ref["name"]),
  );
  if (!gateway || !isParent(ref, gateway, route)) return undefined;
  const listeners = attach(ref, { gateway, route, cluster });
  const accepted = isRefused(listeners)
    ? verdict("Accepted", false, listeners.reason, listeners.message)
    : verdict("Accepted", true, "Accepted", "Route is accepted");
  const before = asObjects(statusOf(route)["parents"]).find(
    (one) => equal(one["parentRef"], ref) && one["controllerName"] === controllerName,
  );
  const conditions = withVerdicts(
    asObjects(before?.["conditions"]),
    [accepted, resolved(route, context)],
    route,
    now(),
  );
  return { parentRef: ref, controllerName, conditions };
}

function resolved(route: Stored, { cluster }: Reconciling): Verdict {
  for (const rule of asObjects(specOf(route)["rules"]))
    for (const backend of asObjects(rule["backendRefs"])) {
      const namespace = String(backend["namespace"] ?? route.metadata.namespace);
      if ((backend["kind"] ?? "Service") !== "Service") continue;
      const service = cluster.store.get("services", namespace, String(backend["name"]));
      if (!service)
        return verdict(
          "ResolvedRefs",
          false,
          "BackendNotFound",
          `Failed to process route rule 0 backendRef 0: service ${namespace}/${String(backend["name"])} not found.`,
        );
      const hasPort = asObjects(specOf(service)["ports"]).some(({ port }) => port === backend["port"]);
      if (!hasPort)
        return verdict(
          "ResolvedRefs",
          false,
          "PortNotFound",
          `Failed to process route rule 0 backendRef 0: TCP Port ${String(backend["port"])} not found on Service ${namespace}/${String(backend["name"])}.`,
        );
      if (
        namespace !== route.metadata.namespace &&
        !isGranted(
          route,
          { namespace, name: String(backend["name"]) },
          cluster.store.list("referencegrants.gateway.networking.k8s.io", namespace),
        )
      )
        return verdict(
          "ResolvedRefs",
          false,
          "RefNotPermitted",
          `Backend ref to Service ${namespace}/${String(backend["name"])} not permitted by any ReferenceGrant.`,
        );
    }
  return verdict("ResolvedRefs", true, "ResolvedRefs", "Resolved all the Object references for the Route");
}

/** A namespace says itself who of another one may point into it. */
const isGranted = (
  route: Stored,
  service: { readonly namespace: string; readonly name: string },
  grants: readonly Stored[],
): boolean =>
  grants.some((grant) => {
    const from = asObjects(specOf(grant)["from"]).some(
      (one) => one["kind"] === "HTTPRoute" && one["namespace"] === route.metadata.namespace,
    );
    const to = asObjects(specOf(grant)["to"]).some(
      (one) =>
        one["kind"] === "Service" &&
        [undefined, service.name].includes(asObject(one)["name"] as string | undefined),
    );
    return from && to;
  });
