import { reasonOfQuota, reasonOfSecurity, sayBytes } from "../../../core/reasons.ts";
import { shorten } from "../../../core/shorten.ts";
import { amountOf } from "../view/amounts.ts";
import type { PodView } from "../view/pod-view.ts";
import type { Trouble } from "./image-words.ts";

type Measure = {
  readonly what: string;
  readonly say: (amount: number) => string;
  readonly of: (pod: PodView) => number;
};
const count = (amount: number): string => String(+amount.toFixed(2));
const measures: Readonly<Record<string, Measure>> = {
  "requests.cpu": { what: "CPUs", say: count, of: ({ cpuMillis }) => cpuMillis / 1_000 },
  "requests.memory": { what: "memory", say: sayBytes, of: ({ memoryBytes }) => memoryBytes },
  pods: { what: "instances", say: count, of: () => 1 },
  "requests.ephemeral-storage": { what: "disk", say: sayBytes, of: () => 0 },
  persistentvolumeclaims: { what: "volumes", say: count, of: () => 0 },
};

/**
 * Why the cluster makes no pod at all, from the words a ReplicaSet or Job got: a quota that is used up, told with who uses
 * it, or Pod Security. `neighbours` are the pods of the project.
 */
export function refusedPodWords(message: string, neighbours: Iterable<PodView>): Trouble {
  if (message.includes("exceeded quota"))
    return { sentence: quotaWords(message, neighbours), isFinal: false };
  const violation = /violates PodSecurity "[^"]*": (.*)$/s.exec(message)?.[1];
  if (violation) return { sentence: reasonOfSecurity(violation), isFinal: true };
  const said = message.replace(/^(Error creating: )?(pods "[^"]*" is forbidden: )?/, "");
  return { sentence: `the cluster makes no instance of it: ${shorten(said, 250)}`, isFinal: false };
}

/** `exceeded quota: q, requested: requests.cpu=2, used: requests.cpu=4, limited: requests.cpu=4`. */
function quotaWords(message: string, neighbours: Iterable<PodView>): string {
  const part = (name: string): ReadonlyMap<string, string> => {
    const text = new RegExp(`${name}: ([^:]*?)(?:, [a-z]+:|$)`).exec(message)?.[1] ?? "";
    return new Map(text.split(",").map((pair) => pair.trim().split("=") as [string, string]));
  };
  const [requested, used, limited] = [part("requested"), part("used"), part("limited")];
  const [resource = ""] =
    [...requested.keys()].filter(
      (name) => amountOf(used.get(name)) + amountOf(requested.get(name)) > amountOf(limited.get(name)),
    ) ?? [];
  const { what, say, of } = measures[resource] ?? { what: resource, say: count, of: () => 0 };
  const amounts = {
    used: say(amountOf(used.get(resource))),
    limit: say(amountOf(limited.get(resource))),
    what,
  };
  return reasonOfQuota(
    amounts,
    usersOf(neighbours, of).map(({ environment, sum }) => ({ environment, amount: say(sum) })),
  );
}

function usersOf(pods: Iterable<PodView>, of: Measure["of"]): { environment: string; sum: number }[] {
  const sums = new Map<string, number>();
  for (const pod of pods) {
    if (pod.phase === "Succeeded" || pod.phase === "Failed") continue;
    const environment = pod.key.split("/")[1] ?? "";
    sums.set(environment, (sums.get(environment) ?? 0) + of(pod));
  }
  return [...sums]
    .map(([environment, sum]) => ({ environment, sum }))
    .filter(({ sum }) => sum > 0)
    .toSorted((a, b) => b.sum - a.sum);
}
