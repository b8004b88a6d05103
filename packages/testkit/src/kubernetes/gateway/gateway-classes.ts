import { own, type Controller } from "../controllers/controller.ts";
import { specOf, statusOf } from "../kinds/in-spec.ts";
import { asObjects, isObject } from "../model/json.ts";
import { controllerName, gatewayGroup, verdict, withVerdicts } from "./conditions.ts";

/** Gateway classes of Envoy Gateway are accepted when what they name as their parameters is there. */
export const gatewayClasses: Controller = {
  name: "envoy-gateway",
  manager: "envoy-gateway",
  keysOf: (event, { store }) =>
    event.resource.startsWith("envoyproxies.")
      ? store.list(`gatewayclasses.${gatewayGroup}`).map(({ metadata }) => metadata.name)
      : own(`gatewayclasses.${gatewayGroup}`)(event),
  reconcile: (name, { cluster, actor, now }) => {
    const found = cluster.store.get(`gatewayclasses.${gatewayGroup}`, undefined, name);
    if (!found || specOf(found)["controllerName"] !== controllerName) return;
    const ref = specOf(found)["parametersRef"];
    const isMissing =
      isObject(ref) &&
      !cluster.store.get("envoyproxies.gateway.envoyproxy.io", String(ref["namespace"]), String(ref["name"]));
    const accepted = isMissing
      ? verdict("Accepted", false, "InvalidParameters", "Invalid parametersRef: failed to find envoyproxy")
      : verdict("Accepted", true, "Accepted", "Valid GatewayClass");
    actor.status(found, {
      ...statusOf(found),
      conditions: withVerdicts(asObjects(statusOf(found)["conditions"]), [accepted], found, now()),
    });
  },
};
