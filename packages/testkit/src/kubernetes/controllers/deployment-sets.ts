import { specOf, statusOf } from "../kinds/in-spec.ts";
import { asMap, asObject, at, equal, omit, put, type JsonObject } from "../model/json.ts";
import { withMeta, type Stored } from "../model/object.ts";
import type { Reconciling } from "./controller.ts";
import { controlled } from "./owned.ts";

export const hashLabel = "pod-template-hash";
export const revisionKey = "deployment.kubernetes.io/revision";
const desiredKey = "deployment.kubernetes.io/desired-replicas";
const maxKey = "deployment.kubernetes.io/max-replicas";

export const replicasOf = (object: Stored): number => Number(specOf(object)["replicas"] ?? 1);
export const sumSpec = (sets: readonly Stored[]): number =>
  sets.reduce((sum, set) => sum + replicasOf(set), 0);
export const sumStatus = (sets: readonly Stored[], field: string): number =>
  sets.reduce((sum, set) => sum + Number(statusOf(set)[field] ?? 0), 0);
export const revisionOf = (set: Stored): number => Number(set.metadata.annotations?.[revisionKey] ?? 0);

/** The template without the label that tells its pods from those of another. */
const plainTemplate = (template: JsonObject): JsonObject => {
  const labels = asMap(at(template, "metadata", "labels"));
  return put(template, ["metadata", "labels"], omit(labels, hashLabel));
};

export type Sets = {
  readonly all: readonly Stored[];
  readonly current: Stored | undefined;
  readonly old: readonly Stored[];
};

const byAge = (a: Stored, b: Stored): number =>
  `${a.metadata.creationTimestamp}${a.metadata.name}` < `${b.metadata.creationTimestamp}${b.metadata.name}`
    ? -1
    : 1;

/** The replica sets of a deployment, and which of them has its template. */
export function setsOf(deployment: Stored, { cluster }: Reconciling): Sets {
  const all = controlled(deployment, "replicasets.apps", cluster).toSorted(byAge);
  const template = plainTemplate(asObject(specOf(deployment)["template"]));
  const current = all.find((set) => equal(plainTemplate(asObject(specOf(set)["template"])), template));
  return { all, current, old: all.filter((set) => set !== current) };
}

const share = (value: unknown, of: number, round: (share: number) => number): number =>
  typeof value === "string" && value.endsWith("%")
    ? round((Number.parseFloat(value) / 100) * of)
    : Number(value ?? 0);

/** How many pods a rollout may have too many and too few; never none of both. */
export function bounds(deployment: Stored): { readonly surge: number; readonly unavailable: number } {
  const { type, rollingUpdate } = asObject(specOf(deployment)["strategy"]);
  const replicas = replicasOf(deployment);
  if (type === "Recreate") return { surge: 0, unavailable: 0 };
  const { maxSurge, maxUnavailable } = asObject(rollingUpdate);
  const surge = share(maxSurge, replicas, Math.ceil);
  const unavailable = Math.min(replicas, share(maxUnavailable, replicas, Math.floor));
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

export const sizeNotes = (deployment: Stored): Readonly<Record<string, string>> => ({
  [desiredKey]: String(replicasOf(deployment)),
  [maxKey]: String(replicasOf(deployment) + bounds(deployment).surge),
});

/** The deployment was scaled since the set was last looked at. */
export const isRescaled = (deployment: Stored, set: Stored): boolean =>
  replicasOf(set) > 0 &&
  set.metadata.annotations?.[desiredKey] !== undefined &&
  set.metadata.annotations[desiredKey] !== String(replicasOf(deployment));

/** Gives a set another size; true when it had another one. */
export function resize(set: Stored, size: number, deployment: Stored, { actor }: Reconciling): boolean {
  const before = replicasOf(set);
  const notes = { ...set.metadata.annotations, ...sizeNotes(deployment) };
  if (before === size && equal(notes, set.metadata.annotations)) return false;
  const sized = put(set, ["spec", "replicas"], size);
  actor.update(set, withMeta(sized, { annotations: notes }));
  if (before === size) return false;
  actor.tell(deployment, {
    reason: "ScalingReplicaSet",
    message: `Scaled ${size > before ? "up" : "down"} replica set ${set.metadata.name} from ${before} to ${size}`,
  });
  return true;
}
