import type { Cluster } from "../cluster.ts";
import { specOf } from "../kinds/in-spec.ts";
import { asObject, asObjects, asStrings, type JsonObject } from "../model/json.ts";
import { matchesSelector } from "../model/label-selector.ts";
import type { Stored } from "../model/object.ts";
import { gatewayGroup } from "./conditions.ts";

/** Which parent a route names: one object, or one listener of it. */
export const parentsOf = (route: Stored): readonly JsonObject[] => asObjects(specOf(route)["parentRefs"]);

export const isParent = (ref: JsonObject, gateway: Stored, route: Stored): boolean =>
  ref["name"] === gateway.metadata.name &&
  (ref["namespace"] ?? route.metadata.namespace) === gateway.metadata.namespace &&
  (ref["kind"] ?? "Gateway") === "Gateway" &&
  (ref["group"] ?? gatewayGroup) === gatewayGroup;

/** Whether a host fits a listener's, either of which may begin with a wildcard. */
export function hostsMeet(listener: string | undefined, host: string): boolean {
  if (!listener || listener === host) return true;
  const ending = (pattern: string) => pattern.slice(1);
  if (listener.startsWith("*.") && !host.startsWith("*.")) return host.endsWith(ending(listener));
  if (host.startsWith("*.") && !listener.startsWith("*.")) return listener.endsWith(ending(host));
  return listener.startsWith("*.") && (host.endsWith(ending(listener)) || listener.endsWith(ending(host)));
}

/** Whether the listener lets routes of this namespace hang on it. */
function allowsNamespace(listener: JsonObject, { gateway, route, cluster }: Joint): boolean {
  const { from, selector } = asObject(asObject(listener["allowedRoutes"])["namespaces"]);
  if (from === "All") return true;
  if (from !== "Selector") return route.metadata.namespace === gateway.metadata.namespace;
  const namespace = cluster.store.get("namespaces", undefined, route.metadata.namespace ?? "");
  return matchesSelector(selector, namespace?.metadata.labels ?? {});
}

type Joint = { readonly gateway: Stored; readonly route: Stored; readonly cluster: Cluster };
export type Refusal = { readonly reason: string; readonly message: string };

/** The listeners of a gateway that a route hangs on by one of its references, or why there are none. */
export function attach(ref: JsonObject, joint: Joint): readonly JsonObject[] | Refusal {
  const { gateway, route } = joint;
  const named = asObjects(specOf(gateway)["listeners"]).filter(
    (listener) =>
      (ref["sectionName"] === undefined || ref["sectionName"] === listener["name"]) &&
      (ref["port"] === undefined || ref["port"] === listener["port"]),
  );
  if (named.length === 0)
    return { reason: "NoMatchingParent", message: "No listeners match this parent ref" };
  const open = named.filter((listener) => allowsNamespace(listener, joint));
  if (open.length === 0)
    return {
      reason: "NotAllowedByListeners",
      message: "No listeners included by this parent ref allowed this attachment.",
    };
  const hosts = asStrings(specOf(route)["hostnames"]);
  const meeting = open.filter(
    (listener) =>
      hosts.length === 0 || hosts.some((host) => hostsMeet(listener["hostname"] as string | undefined, host)),
  );
  if (meeting.length === 0)
    return {
      reason: "NoMatchingListenerHostname",
      message:
        "There were no hostname intersections between the HTTPRoute and this parent ref's Listener(s).",
    };
  return meeting;
}

export const isRefused = (result: readonly JsonObject[] | Refusal): result is Refusal =>
  !Array.isArray(result);
