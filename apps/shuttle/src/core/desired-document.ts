import { isDeepStrictEqual } from "node:util";
import { DesiredState, type DesiredService } from "@starform/contract/clusters";
import { keyOf, type ServiceKey } from "./service-key.ts";

export type Verdict =
  | { readonly kind: "taken"; readonly state: DesiredState }
  | { readonly kind: "refused"; readonly reason: string };

/**
 * Whether a document may take the place of the last good one. No news is never an instruction to remove, so what is
 * empty, malformed, older or another cluster's is refused as a whole, however often it comes. What is to go from a
 * cluster is said to be deleted; only when all that was there is may a document be empty. `runsHere` stands in for the
 * last one where there is none.
 */
export function judgeDocument(
  document: unknown,
  last: DesiredState | undefined,
  clusterId: string,
  runsHere = false,
): Verdict {
  const parsed = DesiredState.safeParse(document);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return refused(
      `it is malformed: ${issue?.path.join(".") || "document"}: ${issue?.message ?? "not readable"}`,
    );
  }
  const state = parsed.data;
  if (state.cluster_id !== clusterId)
    return refused(`it belongs to cluster ${state.cluster_id}, not to ${clusterId}`);
  if (last && state.version < last.version)
    return refused(`its version ${state.version} is older than ${last.version}, which is applied already`);
  const twice = firstRepeated(state.services.map(keyOf));
  if (twice) return refused(`it lists ${twice} twice`);
  const isSomethingThere = last ? last.services.some((service) => !service.deleted) : runsHere;
  if (state.services.length === 0 && isSomethingThere)
    return refused("it is empty while services run here, and does not say that they are deleted");
  if (last && state.version === last.version && missing(last, state).length > 0)
    return refused(`it leaves out services without a newer version than ${last.version}`);
  return { kind: "taken", state };
}

/** Keys of `last` that a newer document no longer names. */
export const missing = (last: DesiredState, next: DesiredState): ServiceKey[] => {
  const named = new Set(next.services.map(keyOf));
  return last.services.map(keyOf).filter((key) => !named.has(key));
};

/**
 * The newer document, with those services of the last that are still the same in the place of their copies, or the last
 * itself: what is known of a service holds for as long as it is the same object.
 */
export function keepingEqual(next: DesiredState, last: DesiredState | undefined): DesiredState {
  if (!last) return next;
  const isSame =
    next.services.length === last.services.length &&
    next.services.every((service, at) => service === last.services[at]) &&
    isDeepStrictEqual({ ...next, services: [] }, { ...last, services: [] });
  if (isSame) return last;
  const before = new Map(last.services.map((service) => [keyOf(service), service]));
  const kept = (service: DesiredService): DesiredService => {
    const known = before.get(keyOf(service));
    return known && isDeepStrictEqual(known, service) ? known : service;
  };
  return { ...next, services: next.services.map(kept) };
}

/** Keys of services that are not the very same in both; with a first document all of them. */
export function changedKeys(last: DesiredState | undefined, next: DesiredState): ServiceKey[] {
  if (last === next) return [];
  const before = new Map(last?.services.map((service) => [keyOf(service), service]));
  const after = new Map(next.services.map((service) => [keyOf(service), service]));
  const gone = [...before.keys()].filter((key) => !after.has(key));
  return [...[...after.keys()].filter((key) => before.get(key) !== after.get(key)), ...gone];
}

const refused = (reason: string): Verdict => ({ kind: "refused", reason });

function firstRepeated(keys: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return keys.find((key) => seen.size === seen.add(key).size);
}
