import { own, partsOf, type Controller, type Reconciling } from "../controllers/controller.ts";
import { specOf, statusOf } from "../kinds/in-spec.ts";
import { asObject, asObjects, type JsonObject } from "../model/json.ts";
import { keyOf, type Stored } from "../model/object.ts";
import { attach, isParent, isRefused, parentsOf } from "./attachment.ts";
import { controllerName, gatewayGroup, verdict, withVerdicts } from "./conditions.ts";

const resource = `gateways.${gatewayGroup}`;

/** Gateways: accepted, programmed and with an address as soon as their class is accepted. */
export const gateways: Controller = {
  name: "envoy-gateway-gateways",
  manager: "envoy-gateway",
  keysOf: (event, { store }) => {
    if (event.resource === resource) return own(resource)(event);
    const isRoute = event.resource === `httproutes.${gatewayGroup}`;
    // A route's own status says nothing new to its gateway.
    if (isRoute && event.object && event.previous && event.object["spec"] === event.previous["spec"])
      return [];
    const concerns =
      isRoute || event.resource === `gatewayclasses.${gatewayGroup}` || event.resource === "secrets";
    if (!concerns) return [];
    const routes = [event.object, event.previous].filter((one) => one !== undefined);
    return store
      .list(resource)
      .filter(
        (gateway) =>
          !isRoute || routes.some((route) => parentsOf(route).some((ref) => isParent(ref, gateway, route))),
      )
      .map(({ metadata }) => keyOf(metadata));
  },
  reconcile: (key, context) => {
    const [namespace, name] = partsOf(key);
    const gateway = context.cluster.store.get(resource, namespace, name);
    if (!gateway || gateway.metadata.deletionTimestamp !== undefined) return;
    const ownClass = context.cluster.store.get(
      `gatewayclasses.${gatewayGroup}`,
      undefined,
      String(specOf(gateway)["gatewayClassName"]),
    );
    if (!ownClass || specOf(ownClass)["controllerName"] !== controllerName) return;
    sync(gateway, ownClass, context);
  },
};

function sync(gateway: Stored, ownClass: Stored, context: Reconciling): void {
  const isAccepted = asObjects(statusOf(ownClass)["conditions"]).some(
    ({ type, status }) => type === "Accepted" && status === "True",
  );
  if (!isAccepted) return;
  const { actor, now } = context;
  const before = statusOf(gateway);
  const verdicts = [
    verdict("Accepted", true, "Accepted", "The Gateway has been scheduled by Envoy Gateway"),
    verdict(
      "Programmed",
      true,
      "Programmed",
      "Address assigned to the Gateway, 1/1 envoy replicas available",
    ),
  ];
  actor.status(gateway, {
    ...before,
    addresses: before["addresses"] ?? [{ type: "IPAddress", value: addressFor(gateway) }],
    conditions: withVerdicts(asObjects(before["conditions"]), verdicts, gateway, now()),
    listeners: asObjects(specOf(gateway)["listeners"]).map((listener) =>
      listenerStatus(gateway, listener, context),
    ),
  });
}

/** An address of the range for documentation, told from others by the name. */
const addressFor = ({ metadata }: Stored): string => {
  const sum = [...`${metadata.namespace}/${metadata.name}`].reduce(
    (total, letter) => (total * 31 + letter.charCodeAt(0)) % 254,
    7,
  );
  return `203.0.113.${sum + 1}`;
};

function listenerStatus(gateway: Stored, listener: JsonObject, { cluster, now }: Reconciling): JsonObject {
  const routes = cluster.store.list(`httproutes.${gatewayGroup}`).filter((route) =>
    parentsOf(route).some((ref) => {
      if (!isParent(ref, gateway, route)) return false;
      const listeners = attach(ref, { gateway, route, cluster });
      return !isRefused(listeners) && listeners.includes(listener);
    }),
  );
  const missing = asObjects(asObject(listener["tls"])["certificateRefs"]).find(
    (ref) =>
      !cluster.store.get(
        "secrets",
        String(ref["namespace"] ?? gateway.metadata.namespace),
        String(ref["name"]),
      ),
  );
  const isHttps = listener["protocol"] === "HTTPS" && listener["tls"] === undefined;
  const isGood = !missing && !isHttps;
  const problem = missing
    ? verdict(
        "ResolvedRefs",
        false,
        "InvalidCertificateRef",
        `Secret ${gateway.metadata.namespace}/${String(missing["name"])} does not exist.`,
      )
    : verdict("ResolvedRefs", true, "ResolvedRefs", "Listener references have been resolved");
  const verdicts = [
    isGood
      ? verdict(
          "Programmed",
          true,
          "Programmed",
          "Sending translated listener configuration to the data plane",
        )
      : verdict("Programmed", false, "Invalid", "Listener is invalid, see other Conditions for details."),
    isHttps
      ? verdict("Accepted", false, "Invalid", "Listener must have TLS set when protocol is HTTPS.")
      : verdict("Accepted", true, "Accepted", "Listener has been successfully translated"),
    problem,
  ];
  const before = asObjects(statusOf(gateway)["listeners"]).find(({ name }) => name === listener["name"]);
  return {
    name: listener["name"],
    supportedKinds: [
      { group: gatewayGroup, kind: "HTTPRoute" },
      { group: gatewayGroup, kind: "GRPCRoute" },
    ],
    attachedRoutes: routes.length,
    conditions: withVerdicts(asObjects(before?.["conditions"]), verdicts, gateway, now()),
  };
}
