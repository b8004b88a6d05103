import type { Reconciling } from "../controllers/controller.ts";
import { isFinished } from "../controllers/pod-state.ts";
import { specOf } from "../kinds/in-spec.ts";
import { asObjects, type JsonObject } from "../model/json.ts";
import { keyOf, type Stored } from "../model/object.ts";
import type { Scripts } from "./behaviour.ts";
import { podStatus } from "./pod-status.ts";
import { steppingOf, type PodRecord } from "./stepping.ts";
import { finish, stopSeconds } from "./finish-container.ts";

/** Tells the containers to end, waits for them as long as the grace time allows, and lets the pod go. */
export function stopPod(pod: Stored, record: PodRecord, context: Reconciling, scripts: Scripts): void {
  const { actor, later, now } = context;
  const time = now().getTime();
  const containers = asObjects(specOf(pod)["containers"]);
  const isRunning = (container: JsonObject) =>
    record.runs.get(String(container["name"]))?.state === "running";
  if (record.stoppingSince === undefined) {
    record.stoppingSince = time;
    for (const container of containers.filter(isRunning))
      actor.tell(pod, {
        reason: "Killing",
        message: `Stopping container ${String(container["name"])}`,
        fieldPath: `spec.containers{${String(container["name"])}}`,
      });
  }
  const grace = (pod.metadata.deletionGracePeriodSeconds ?? 0) * 1000;
  const waits = containers.filter(isRunning).map((container) => {
    const stepping = steppingOf(pod, container, context, scripts);
    const needed = stopSeconds(container) * 1000 + (stepping.behaviour.stopMs ?? 0);
    const wait = (record.stoppingSince ?? time) + Math.min(needed, grace) - time;
    if (wait > 0) return wait;
    const code = needed > grace ? 137 : (stepping.behaviour.stopCode ?? 0);
    const run = record.runs.get(String(container["name"]));
    if (run)
      finish(
        run,
        { ...stepping, restartPolicy: "Never" },
        { code, reason: code === 0 ? "Completed" : "Error" },
      );
    return 0;
  });
  const longest = Math.max(0, ...waits);
  if (longest > 0) return later(keyOf(pod.metadata), Math.min(...waits.filter((wait) => wait > 0)));
  // What never ran, or waits to run again, has ended as well.
  for (const run of record.runs.values()) if (run.state !== "ended") run.state = "ended";
  const seen = {
    runs: record.runs,
    podIP: record.podIP,
    hostIP: context.cluster.nodes.addressOf(String(specOf(pod)["nodeName"])),
    now: now(),
  };
  const ended = isFinished(pod) ? pod : actor.status(pod, podStatus(pod, seen));
  actor.remove(ended, { gracePeriodSeconds: 0 });
}
