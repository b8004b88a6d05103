import type { DesiredService } from "@starform/contract/clusters";
import { reasonOfKill } from "../../../core/reasons.ts";
import { isServing, preStopSeconds } from "../manifests/drain.ts";
import type { EventView } from "../view/event-view.ts";
import type { PodView } from "../view/pod-view.ts";
import { evictionOf, evictionWords } from "./eviction-words.ts";
import { endingTrouble } from "./pod-trouble.ts";

/** Which run of the pod's app ended last, as far as is seen; 0 before the first. */
export const runsEnded = ({ ending, evicted, restarts }: PodView): number =>
  ending?.run ?? (evicted === undefined ? 0 : restarts + 1);

/**
 * What the app's own log is told of the end of a run, in a sentence; undefined where it ended as it should: a run of a cron
 * by itself and well, any other when it was told to and in time.
 */
export function endingWords(
  pod: PodView,
  service: DesiredService,
  events: readonly EventView[],
): string | undefined {
  const { ending, graceSeconds = 0 } = pod;
  const eviction = evictionOf(pod, events);
  if (eviction !== undefined) return evictionWords(eviction);
  if (!ending) return undefined;
  if (pod.isGoing) {
    const drainSeconds = graceSeconds - (isServing(service) ? preStopSeconds : 0);
    const isKilled = ending.run > pod.restarts && ending.exitCode === 137 && drainSeconds > 0;
    return isKilled ? reasonOfKill(drainSeconds * 1_000) : undefined;
  }
  if (service.service_type === "cron" && ending.exitCode === 0) return undefined;
  return endingTrouble(pod, service, events, true)?.sentence;
}
