import { statusOf, specOf } from "./in-spec.ts";
import { asObject, asObjects, at, type Json } from "../model/json.ts";
import { selectorText } from "../model/label-selector.ts";
import type { Stored } from "../model/object.ts";
import { age } from "./age.ts";
import type { Column } from "./kind.ts";

type Cell = (object: Stored, now: Date) => Json;
export const text = (name: string, cell: Cell, priority = 0): Column => ({
  name,
  type: "string",
  path: "",
  priority,
  cell,
});
export const field = (name: string, path: string, type = "string"): Column => ({ name, type, path });
export const ageColumn: Column = { name: "Age", type: "date", path: ".metadata.creationTimestamp" };
export const nameColumn: Column = { name: "Name", type: "string", path: ".metadata.name" };

export const number = (object: Stored, ...path: readonly string[]): number =>
  Number(at(object, ...path) ?? 0);
const containers = (object: Stored) => asObjects(at(object, "spec", "template", "spec", "containers"));
export const wide: readonly Column[] = [
  text(
    "Containers",
    (object) =>
      containers(object)
        .map(({ name }) => name)
        .join(","),
    1,
  ),
  text(
    "Images",
    (object) =>
      containers(object)
        .map(({ image }) => image)
        .join(","),
    1,
  ),
  text("Selector", (object) => selectorText(specOf(object)["selector"]), 1),
];
export const readyOf = (object: Stored, wanted: number): string =>
  `${number(object, "status", "readyReplicas")}/${wanted}`;
export const count = (name: string, ...path: readonly string[]): Column => ({
  name,
  type: "integer",
  path: "",
  cell: (object) => number(object, ...path),
});

export const ports = (service: Stored): string =>
  asObjects(specOf(service)["ports"])
    .map(
      ({ port, nodePort, protocol }) =>
        `${String(port)}${nodePort === undefined ? "" : `:${String(nodePort)}`}/${String(protocol)}`,
    )
    .join(",") || "<none>";
export const external = (service: Stored): string => {
  if (specOf(service)["type"] !== "LoadBalancer") return "<none>";
  return (
    asObjects(at(service, "status", "loadBalancer", "ingress"))
      .map(({ ip, hostname }) => ip ?? hostname)
      .join(",") || "<pending>"
  );
};
export const nodeStatus = (node: Stored): string => {
  const ready = asObjects(statusOf(node)["conditions"]).find(({ type }) => type === "Ready")?.["status"];
  return `${ready === "True" ? "Ready" : "NotReady"}${specOf(node)["unschedulable"] === true ? ",SchedulingDisabled" : ""}`;
};
export const jobStatus = (job: Stored): string => {
  const isTrue = (type: string) =>
    asObjects(statusOf(job)["conditions"]).some((one) => one["type"] === type && one["status"] === "True");
  return ["Complete", "Failed", "Suspended", "FailureTarget", "SuccessCriteriaMet"].find(isTrue) ?? "Running";
};
export const since = (value: Json | undefined, now: Date): string =>
  typeof value === "string" ? age(new Date(value), now) : "<none>";
export const amounts = (quota: Stored, part: RegExp): string =>
  Object.entries(asObject(statusOf(quota)["hard"]))
    .filter(([name]) => part.test(name))
    .map(
      ([name, hard]) => `${name}: ${String(asObject(statusOf(quota)["used"])[name] ?? "0")}/${String(hard)}`,
    )
    .join(", ");
