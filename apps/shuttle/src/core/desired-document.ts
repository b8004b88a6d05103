import { DesiredState } from "@starform/contract/clusters";
import { keyOf, type ServiceKey } from "./service-key.ts";

export type Verdict =
  | { readonly kind: "taken"; readonly state: DesiredState }
  | { readonly kind: "refused"; readonly reason: string }
  /** Believed only if Starbase says it again a while later. */
  | { readonly kind: "doubtful"; readonly reason: string };

/**
 * Whether a document may take the place of the last good one. No news is never an instruction to remove, so what is
 * empty, malformed, older or another cluster's is refused as a whole.
 */
export function judgeDocument(
  document: unknown,
  last: DesiredState | undefined,
  clusterId: string,
  isSaidAgain = false,
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
  if (
    last &&
    !isSaidAgain &&
    state.services.length === 0 &&
    last.services.some((service) => !service.deleted)
  )
    return state.version > last.version
      ? {
          kind: "doubtful",
          reason: "it is empty, while services run here: it must be said again before they are removed",
        }
      : refused("it is empty, while services run here");
  if (last && state.version === last.version && missing(last, state).length > 0)
    return refused(`it leaves out services without a newer version than ${last.version}`);
  return { kind: "taken", state };
}

/** Keys of `last` that a newer document no longer names. */
export const missing = (last: DesiredState, next: DesiredState): ServiceKey[] => {
  const named = new Set(next.services.map(keyOf));
  return last.services.map(keyOf).filter((key) => !named.has(key));
};

const refused = (reason: string): Verdict => ({ kind: "refused", reason });

function firstRepeated(keys: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return keys.find((key) => seen.size === seen.add(key).size);
}
