import type { Answered } from "./answering.ts";

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What another server, day or run makes otherwise, by the name of its field. */
const volatile = new Set([
  "uid",
  "resourceVersion",
  "creationTimestamp",
  "time",
  "selfLink",
  "clusterIP",
  "clusterIPs",
  "nodePort",
  "lastTransitionTime",
  "continue",
]);

/** Managers of the cluster's own controllers write when they come to it. */
const controllers =
  /^(kube-controller-manager|kube-scheduler|gateway-controller|shuttle-gateway|envoy-gateway)/;

/** An answer with everything left out that need not be the same twice, nor on two servers. */
export function comparable({ status, warnings, body }: Answered, ns: string): unknown {
  const answer = JSON.parse(text(ns)(JSON.stringify({ status, warnings, body: shown(body) }))) as Json;
  if ((answer["warnings"] as unknown[]).length === 0) delete answer["warnings"];
  return answer;
}

const text = (ns: string) => (json: string) =>
  json
    .replaceAll(ns, "NS")
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, "UID")
    .replaceAll(/version: \d+/g, "version: N")
    .replaceAll(/\(\d+\)/g, "(N)")
    .replaceAll(/((?:[Gg]en[-_])|kube-api-access-)[bcdfghjklmnpqrstvwxz2456789]{5}/g, "$1XXXXX")
    .replaceAll(/\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z/g, "TIME");

function shown(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shown);
  if (!isObject(value)) return value;
  const entries = Object.entries(value)
    .filter(([name]) => !hidden(name, value))
    .map(([name, part]) => [name, name === "managedFields" ? managers(part) : part] as const)
    .filter(([name, part]) => part !== undefined && !(name === "annotations" && isBare(part)))
    .map(([name, part]) => [name, volatile.has(name) && part !== "" && part !== "None" ? "*" : shown(part)])
    .toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1));
  return Object.fromEntries(entries) as Json;
}

/** Nothing is left of it but what controllers wrote. */
const isBare = (part: unknown): boolean =>
  isObject(part) && Object.keys(part).every((name) => hidden(name, part));

/** Written by controllers when they come to it, so it may be there or not. */
function hidden(name: string, within: Json): boolean {
  if (name === "deployment.kubernetes.io/revision" || name === "pv.kubernetes.io/bind-completed") return true;
  // Why somebody may do a thing is told by the role that he has on this server.
  if (name === "reason" && within["allowed"] === true) return true;
  const isOfControllers = ["Deployment", "ReplicaSet", "StatefulSet", "Job", "CronJob"].includes(
    String(within["kind"]),
  );
  return name === "status" && isOfControllers;
}

function managers(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  // Entries stand in the order of their seconds, which one server spends faster than the other.
  const key = ({ operation, manager, subresource }: Json) =>
    JSON.stringify([operation, manager, subresource]);
  const own = (value as Json[]).filter(({ manager }) => !controllers.test(String(manager)));
  return own.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}
