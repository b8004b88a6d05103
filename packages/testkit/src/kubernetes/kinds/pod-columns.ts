import { statusOf, specOf } from "./in-spec.ts";
import { asObject, asObjects, type JsonObject } from "../model/json.ts";
import type { Stored } from "../model/object.ts";
import { age } from "./age.ts";
import type { Column } from "./kind.ts";

const statuses = (pod: Stored): readonly JsonObject[] => asObjects(statusOf(pod)["containerStatuses"]);
const part = (status: JsonObject, state: string): JsonObject => asObject(asObject(status["state"])[state]);

/** What is wrong with a pod, or how far it is. */
function statusText(pod: Stored): string {
  if (pod.metadata.deletionTimestamp !== undefined) return "Terminating";
  const said = statusOf(pod)["reason"];
  if (typeof said === "string") return said;
  const reasons = statuses(pod).flatMap((status) => {
    const [waiting, ended] = [part(status, "waiting"), part(status, "terminated")];
    return waiting["reason"] ?? ended["reason"] ?? [];
  });
  return String(reasons[0] ?? statusOf(pod)["phase"]);
}

function restarts(pod: Stored, now: Date): string {
  const count = statuses(pod).reduce((sum, { restartCount }) => sum + Number(restartCount ?? 0), 0);
  const last = statuses(pod)
    .map(({ lastState }) => String(asObject(asObject(lastState)["terminated"])["finishedAt"] ?? ""))
    .toSorted()
    .at(-1);
  return count > 0 && last ? `${count} (${age(new Date(last), now)} ago)` : String(count);
}

export const podColumns: readonly Column[] = [
  { name: "Name", type: "string", path: ".metadata.name" },
  {
    name: "Ready",
    type: "string",
    path: "",
    cell: (pod) =>
      `${statuses(pod).filter(({ ready }) => ready === true).length}/${asObjects(specOf(pod)["containers"]).length}`,
  },
  { name: "Status", type: "string", path: "", cell: statusText },
  { name: "Restarts", type: "string", path: "", cell: restarts },
  { name: "Age", type: "date", path: ".metadata.creationTimestamp" },
  { name: "IP", type: "string", path: ".status.podIP", priority: 1 },
  { name: "Node", type: "string", path: ".spec.nodeName", priority: 1 },
  { name: "Nominated Node", type: "string", path: ".status.nominatedNodeName", priority: 1 },
  { name: "Readiness Gates", type: "string", path: ".spec.readinessGates", priority: 1 },
];
