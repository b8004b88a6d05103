import { specOf } from "../kinds/in-spec.ts";
import { asMap, asObject } from "../model/json.ts";
import { keyOf, type Stored } from "../model/object.ts";
import type { Store } from "../store/store.ts";

/** Objects that select pods by labels, found by a pod's labels without asking each of them. */
export type SelectorIndex = { readonly selecting: (pod: Stored) => readonly Stored[] };

/** What an object's selector asks for with equality: of a Service the selector itself, else its `matchLabels`. */
const pairsOf = (object: Stored): Readonly<Record<string, string>> => {
  const selector = specOf(object)["selector"];
  return asMap(object.kind === "Service" ? selector : asObject(selector)["matchLabels"]);
};

/** The label that is last by name stands for all: ours end in the most telling one, `service-id`. */
function slotOf(object: Stored): string {
  const [key, value] = Object.entries(pairsOf(object)).toSorted(([a], [b]) => (a < b ? 1 : -1))[0] ?? [];
  return key === undefined ? `${object.metadata.namespace}|` : `${object.metadata.namespace}|${key}=${value}`;
}

export function openSelectorIndex(
  store: Store,
  resource: string,
  matches: (pod: Stored, object: Stored) => boolean,
): SelectorIndex {
  const slots = new Map<string, Set<string>>();
  store.onEvent((event) => {
    if (event.resource !== resource) return;
    if (event.previous) slots.get(slotOf(event.previous))?.delete(keyOf(event.previous.metadata));
    if (event.object) {
      const slot = slotOf(event.object);
      slots.set(slot, (slots.get(slot) ?? new Set()).add(keyOf(event.object.metadata)));
    }
  });
  return {
    selecting: (pod) => {
      const { namespace, labels = {} } = pod.metadata;
      const candidates = ["", ...Object.entries(labels).map(([key, value]) => `${key}=${value}`)];
      return candidates
        .flatMap((pair) => [...(slots.get(`${namespace}|${pair}`) ?? [])])
        .flatMap((key) => store.get(resource, namespace, key.slice((namespace?.length ?? 0) + 1)) ?? [])
        .filter((object) => matches(pod, object));
    },
  };
}
