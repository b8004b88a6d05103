import { specOf, statusOf } from "../kinds/in-spec.ts";
import { containersOf } from "../kinds/pod-defaults.ts";
import { asObject, asObjects, at, type JsonObject } from "../model/json.ts";
import type { Stored } from "../model/object.ts";
import { parseQuantity } from "../model/quantity.ts";

/** Amounts by the name that a quota gives them, in nano-units. */
export type Usage = Readonly<Record<string, bigint>>;

const amountIn = (resources: JsonObject, part: string, name: string): bigint =>
  parseQuantity((asObject(resources[part])[name] as string | undefined) ?? "0") ?? 0n;
const one = 1_000_000_000n;

/** What the containers of a pod ask for together; an init container counts only where it is the biggest. */
export function podResources(spec: JsonObject, part: "requests" | "limits"): Usage {
  const resourcesOf = (list: string) =>
    asObjects(spec[list]).map((container) => asObject(container["resources"]));
  const [apps, inits] = [resourcesOf("containers"), resourcesOf("initContainers")];
  const names = new Set([...apps, ...inits].flatMap((resources) => Object.keys(asObject(resources[part]))));
  return Object.fromEntries(
    [...names].map((name) => {
      const sum = apps.reduce((total, resources) => total + amountIn(resources, part, name), 0n);
      const most = inits.reduce((top, resources) => {
        const amount = amountIn(resources, part, name);
        return amount > top ? amount : top;
      }, 0n);
      return [name, sum > most ? sum : most];
    }),
  );
}

export const isOver = (pod: Stored): boolean =>
  ["Succeeded", "Failed"].includes(String(statusOf(pod)["phase"]));

function podUsage(pod: Stored): Usage {
  if (isOver(pod)) return { "count/pods": one };
  const named = (usage: Usage, prefix: string): Usage =>
    Object.fromEntries(Object.entries(usage).map(([name, amount]) => [prefix + name, amount]));
  const requests = podResources(specOf(pod), "requests");
  return {
    pods: one,
    "count/pods": one,
    ...requests,
    ...named(requests, "requests."),
    ...named(podResources(specOf(pod), "limits"), "limits."),
  };
}

function serviceUsage(service: Stored): Usage {
  const { type } = specOf(service);
  const ports = BigInt(asObjects(specOf(service)["ports"]).filter(({ nodePort }) => nodePort).length) * one;
  return {
    services: one,
    ...(type === "LoadBalancer" && { "services.loadbalancers": one }),
    ...((type === "NodePort" || type === "LoadBalancer") && { "services.nodeports": ports }),
  };
}

function claimUsage(claim: Stored): Usage {
  const storage =
    parseQuantity((at(specOf(claim), "resources", "requests", "storage") as string | undefined) ?? "0") ?? 0n;
  const className = specOf(claim)["storageClassName"];
  const prefix = `${String(className)}.storageclass.storage.k8s.io/`;
  return {
    persistentvolumeclaims: one,
    "requests.storage": storage,
    ...(className !== undefined && {
      [`${prefix}persistentvolumeclaims`]: one,
      [`${prefix}requests.storage`]: storage,
    }),
  };
}

const counted = ["configmaps", "secrets", "resourcequotas"];

/** What one object uses up of its namespace's quotas. */
export function usageOf(object: Stored, resource: string): Usage {
  if (resource === "pods") return podUsage(object);
  const count = { [`count/${resource}`]: one, ...(counted.includes(resource) && { [resource]: one }) };
  if (resource === "services") return { ...count, ...serviceUsage(object) };
  if (resource === "persistentvolumeclaims") return { ...count, ...claimUsage(object) };
  return count;
}

/** Container names that say nothing about a resource that a quota bounds. */
export function silentContainers(pod: Stored, bounded: string): readonly string[] {
  const [part = "", name = ""] = /^(requests|limits)\.(.+)$/.exec(bounded)?.slice(1) ?? ["requests", bounded];
  if (!["cpu", "memory", "ephemeral-storage"].includes(name)) return [];
  return containersOf(specOf(pod))
    .filter((container) => at(container, "resources", part, name) === undefined)
    .map((container) => String(container["name"]));
}
