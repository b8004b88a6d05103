import type { KubeObject } from "@starform/kubernetes/kube-api";
import { prefix } from "../manifests/labels.ts";
import { annotationOf, ownedObject, type OwnedObject } from "./owned-object.ts";
import type { JobView } from "./workload-views.ts";

/** What is written down of a cron's runs. */
export type RunNotes = {
  /** Runs up to this time are dealt with. */
  readonly seenUntil: string | undefined;
  /** Times of runs that Starbase has taken as over. */
  readonly taken: readonly string[];
  /** Runs whose Jobs were there and not over when Starbase was told of runs last. */
  readonly going: readonly Pick<JobView, "scheduledFor" | "startedAt">[];
};

const [seenUntil, taken, going] = ["runs-seen-until", "runs-taken", "runs-going"];

/** A ConfigMap; on one that lists what was made for a cron, its runs are noted. */
export type ConfigMapView = OwnedObject & { readonly runs: RunNotes | undefined };

export function configMapView(object: KubeObject): ConfigMapView {
  const texts = [seenUntil, taken, going].map((name) => annotationOf(object, name!));
  return { ...ownedObject(object), runs: texts.some(Boolean) ? notesOf(texts) : undefined };
}

const notesOf = ([until, over, begun]: readonly (string | undefined)[]): RunNotes => ({
  seenUntil: until,
  taken: over?.split(",") ?? [],
  going: (begun?.split(",") ?? []).filter(Boolean).map((text) => {
    const [scheduledFor = "", startedAt] = text.split("/");
    return { scheduledFor, startedAt: startedAt || null };
  }),
});

/** Times with commas between, of runs that go on `<time of the schedule>/<beginning>`; without `seenUntil` that stays. */
export const annotationsOf = (notes: RunNotes): Readonly<Record<string, string>> => ({
  [prefix + taken]: notes.taken.join(","),
  [prefix + going]: notes.going
    .map(({ scheduledFor, startedAt }) => `${scheduledFor}/${startedAt ?? ""}`)
    .join(","),
  ...(notes.seenUntil === undefined ? {} : { [prefix + seenUntil]: notes.seenUntil }),
});
