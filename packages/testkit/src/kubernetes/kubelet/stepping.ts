import type { Reconciling } from "../controllers/controller.ts";
import { specOf } from "../kinds/in-spec.ts";
import type { JsonObject } from "../model/json.ts";
import type { Stored } from "../model/object.ts";
import type { Scripts } from "./behaviour.ts";
import { missingVariables } from "./missing-sources.ts";
import type { Run } from "./run.ts";
import type { Stepping } from "./finish-container.ts";

/** What the kubelets of all nodes remember of a pod. */
export type PodRecord = {
  readonly runs: Map<string, Run>;
  readonly podIP: string;
  stoppingSince: number | undefined;
};

/** What a step of one container needs to know. */
export function steppingOf(
  pod: Stored,
  container: JsonObject,
  { cluster, actor, now }: Reconciling,
  scripts: Scripts,
): Stepping {
  const behaviour = scripts.of(pod, container);
  return {
    pod,
    container,
    behaviour,
    now: now().getTime(),
    restartPolicy: specOf(pod)["restartPolicy"],
    missing: behaviour.configError ?? missingVariables(container, { pod, cluster }),
    logs: cluster.logs,
    tell: (note) => actor.tell(pod, note),
  };
}
