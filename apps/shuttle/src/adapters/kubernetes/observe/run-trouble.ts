import type { DesiredService } from "@starform/contract/clusters";
import type { ClusterView } from "../view/cluster-view.ts";
import type { PodView } from "../view/pod-view.ts";
import type { JobView } from "../view/workload-views.ts";
import type { Trouble } from "./image-words.ts";
import { podTrouble } from "./pod-trouble.ts";
import { refusedPodWords } from "./refused-pods.ts";

type Known = Pick<ClusterView, "place" | "eventsOf" | "podsIn">;

/**
 * What keeps a run from beginning, as far as it can be known; undefined for one that runs, is over, or is on its way. A Job
 * does not fail by it: it waits, and keeps every later run of its service waiting.
 */
export function runTrouble(view: Known, service: DesiredService, job: JobView): Trouble | undefined {
  if (job.outcome !== "running") return undefined;
  const pods = podsOf(view, job);
  if (pods.length > 0)
    return pods
      .filter(({ phase }) => phase === "Pending")
      .map((pod) => podTrouble(pod, service, view.eventsOf(pod.uid)))
      .find((trouble) => trouble !== undefined);
  // Of pods that are refused no Job has a condition: only its events tell.
  const refused = view.eventsOf(job.uid).find(({ reason }) => reason === "FailedCreate");
  return refused && refusedPodWords(refused.message, view.podsIn(job.namespace));
}

export const podsOf = (view: Pick<ClusterView, "place">, { key, uid }: JobView): readonly PodView[] =>
  [...(view.place(key)?.pods.values() ?? [])].filter(({ ownerUid }) => ownerUid === uid);
