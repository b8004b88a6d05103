import type { Controller, Reconciling } from "../controllers/controller.ts";
import { own, partsOf } from "../controllers/controller.ts";
import { isFinished } from "../controllers/pod-state.ts";
import { specOf } from "../kinds/in-spec.ts";
import { asObjects } from "../model/json.ts";
import { keyOf, type Stored } from "../model/object.ts";
import type { Scripts } from "./behaviour.ts";
import { missingVolume } from "./missing-sources.ts";
import { podStatus } from "./pod-status.ts";
import { newRun, noticeMs, type Run } from "./run.ts";
import { steppingOf, type PodRecord } from "./stepping.ts";
import type { Stepping } from "./finish-container.ts";
import { stepContainer } from "./step-container.ts";
import { stopPod } from "./stop-pod.ts";

export type Kubelet = { readonly controller: Controller; readonly records: Map<string, PodRecord> };

/** The kubelets of all nodes: they run what is placed on them as the scripts say, and report it. */
export function openKubelet(scripts: Scripts): Kubelet {
  const records = new Map<string, PodRecord>();
  let addresses = 0;
  const recordOf = (pod: Stored, now: number): PodRecord => {
    const uid = pod.metadata.uid ?? "";
    const known = records.get(uid);
    if (known) return known;
    addresses += 1;
    const runs = new Map(asObjects(specOf(pod)["containers"]).map(({ name }) => [String(name), newRun(now)]));
    const record: PodRecord = {
      runs,
      podIP: `10.${1 + (addresses >> 16)}.${(addresses >> 8) & 255}.${addresses & 255}`,
      stoppingSince: undefined,
    };
    records.set(uid, record);
    return record;
  };
  const controller: Controller = {
    name: "kubelet",
    manager: "kubelet",
    keysOf: (event) => {
      if (event.resource === "pods" && event.object === undefined)
        records.delete(event.previous?.metadata.uid ?? "");
      return event.resource === "pods" && specOf(event.object ?? ({} as Stored))["nodeName"] === undefined
        ? []
        : own("pods")(event);
    },
    reconcile: (key, context) => {
      const [namespace, name] = partsOf(key);
      const pod = context.cluster.store.get("pods", namespace, name);
      const isLost = pod && context.cluster.nodes.isDown(String(specOf(pod)["nodeName"]));
      if (!pod || specOf(pod)["nodeName"] === undefined || isLost) return;
      const record = recordOf(pod, context.now().getTime());
      if (pod.metadata.deletionTimestamp !== undefined) return stopPod(pod, record, context, scripts);
      if (!isFinished(pod)) run(pod, record, context, scripts);
    },
  };
  return { controller, records };
}

function run(pod: Stored, record: PodRecord, context: Reconciling, scripts: Scripts): void {
  const { cluster, actor, later, now } = context;
  const unmounted = missingVolume({ pod, cluster });
  if (unmounted)
    actor.tell(pod, {
      type: "Warning",
      reason: "FailedMount",
      message: `MountVolume.SetUp failed for volume ${JSON.stringify(unmounted.volume)} : ${unmounted.problem}`,
    });
  const waits = asObjects(specOf(pod)["containers"]).map((container) => {
    const state = record.runs.get(String(container["name"]));
    if (!state) return undefined;
    return unmounted ? noticeMs : stepAll(state, steppingOf(pod, container, context, scripts));
  });
  actor.status(
    pod,
    podStatus(pod, {
      runs: record.runs,
      podIP: record.podIP,
      hostIP: cluster.nodes.addressOf(String(specOf(pod)["nodeName"])),
      now: now(),
    }),
  );
  const soonest = Math.min(...waits.map((wait) => wait ?? Number.POSITIVE_INFINITY));
  if (Number.isFinite(soonest)) later(keyOf(pod.metadata), soonest);
}

/** Everything that is due now, one after the other; answers when more will be. */
function stepAll(state: Run, stepping: Stepping): number | undefined {
  for (;;) {
    const next = stepContainer(state, stepping);
    if (next !== true) return next;
  }
}
