import { podResources, type Usage } from "../admission/usage.ts";
import { specOf, statusOf } from "../kinds/in-spec.ts";
import { asObjects } from "../model/json.ts";
import type { Stored } from "../model/object.ts";
import type { Store } from "../store/store.ts";
import { isFinished } from "./pod-state.ts";

/** What is placed on each node, kept up to date with every write. */
export type NodeBook = {
  /** What the pods on a node ask for together, in nano-units; `pods` is their number. */
  used(node: string): Usage;
  /** How full a node is compared to others: the sum of the milli-CPUs asked for, then the number of pods. */
  load(node: string): number;
  addressOf(node: string): string;
  /** A node that is down: its kubelet neither does nor reports anything. */
  setDown(node: string, isDown: boolean): void;
  isDown(node: string): boolean;
  rebuild(): void;
};

const one = 1_000_000_000n;

export function openNodeBook(store: Store): NodeBook {
  const books = new Map<string, Map<string, Usage>>();
  const sums = new Map<string, Record<string, bigint>>();
  const down = new Set<string>();

  const count = (node: string, usage: Usage, sign: bigint): void => {
    const sum = sums.get(node) ?? {};
    for (const [name, amount] of Object.entries(usage)) sum[name] = (sum[name] ?? 0n) + sign * amount;
    sums.set(node, sum);
  };
  const forget = (pod: Stored): void => {
    const node = String(specOf(pod)["nodeName"] ?? "");
    const usage = books.get(node)?.get(pod.metadata.uid ?? "");
    if (!usage) return;
    books.get(node)?.delete(pod.metadata.uid ?? "");
    count(node, usage, -1n);
  };
  const learn = (pod: Stored): void => {
    const node = specOf(pod)["nodeName"];
    if (typeof node !== "string" || isFinished(pod)) return;
    const usage = { ...podResources(specOf(pod), "requests"), pods: one };
    const inside = books.get(node) ?? new Map<string, Usage>();
    books.set(node, inside.set(pod.metadata.uid ?? "", usage));
    count(node, usage, 1n);
  };
  store.onEvent(({ resource, object, previous }) => {
    if (resource !== "pods") return;
    // Most writes change neither where a pod is nor whether it has ended.
    const isSame =
      object &&
      previous &&
      object["spec"] === previous["spec"] &&
      isFinished(object) === isFinished(previous);
    if (isSame) return;
    if (previous) forget(previous);
    if (object) learn(object);
  });
  return {
    used: (node) => sums.get(node) ?? {},
    load: (node) =>
      Number((sums.get(node)?.["cpu"] ?? 0n) / 1_000_000n) * 10_000 +
      Number((sums.get(node)?.["pods"] ?? 0n) / one),
    addressOf: (node) => {
      const addresses = asObjects(
        statusOf(store.get("nodes", undefined, node) ?? ({} as Stored))["addresses"],
      );
      return String(addresses.find(({ type }) => type === "InternalIP")?.["address"] ?? "0.0.0.0");
    },
    setDown: (node, isDown) => void (isDown ? down.add(node) : down.delete(node)),
    isDown: (node) => down.has(node),
    rebuild: () => {
      books.clear();
      sums.clear();
      for (const pod of store.list("pods")) learn(pod);
    },
  };
}
