import { fits, type PodMatch } from "../kubelet/behaviour.ts";
import { specOf, statusOf } from "../kinds/in-spec.ts";
import { asObjects, type JsonObject } from "../model/json.ts";
import type { Stored } from "../model/object.ts";
import { podResources } from "../admission/usage.ts";

/** What a container uses, in quantities. */
export type ContainerUsage = { readonly cpu: string; readonly memory: string };

/** What the metrics API answers, as tests script it; without a script there are no metrics of a pod. */
export type MetricsBook = {
  script(match: PodMatch, usage: ContainerUsage | ((pod: Stored) => ContainerUsage)): () => void;
  usage(pod: Stored, container: JsonObject): ContainerUsage | undefined;
  /** The share of what a running pod asks for that it uses, in percent; undefined when nobody knows. */
  utilization(pod: Stored, resource: string, parse: (quantity: string) => bigint): number | undefined;
};

type Script = {
  readonly match: PodMatch;
  readonly usage: ContainerUsage | ((pod: Stored) => ContainerUsage);
};

export function openMetricsBook(): MetricsBook {
  let scripts: readonly Script[] = [];
  const listeners: (() => void)[] = [];
  const set = (next: readonly Script[]): void => {
    scripts = next;
    for (const listener of listeners) listener();
  };
  const usageOf = (pod: Stored, container: JsonObject): ContainerUsage | undefined => {
    if (statusOf(pod)["phase"] !== "Running") return undefined;
    const usage = scripts.find(({ match }) => fits(match, pod, container))?.usage;
    return typeof usage === "function" ? usage(pod) : usage;
  };
  return {
    script: (match, usage) => {
      const script = { match, usage };
      set([script, ...scripts]);
      return () => set(scripts.filter((one) => one !== script));
    },
    usage: usageOf,
    utilization: (pod, resource, parse) => {
      const amounts = asObjects(specOf(pod)["containers"]).map(
        (container) => usageOf(pod, container)?.[resource as "cpu"],
      );
      const asked = podResources(specOf(pod), "requests")[resource];
      if (amounts.includes(undefined) || asked === undefined || asked === 0n) return undefined;
      const used = amounts.reduce((sum, amount) => sum + parse(amount ?? "0"), 0n);
      return Number((used * 100n) / asked);
    },
  };
}
