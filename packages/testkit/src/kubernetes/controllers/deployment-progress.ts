import { statusOf } from "../kinds/in-spec.ts";
import { asObjects, type JsonObject } from "../model/json.ts";
import { timestamp, type Stored } from "../model/object.ts";
import type { Reconciling } from "./controller.ts";
import { revisionKey } from "./deployment-sets.ts";
import { withCondition } from "./pod-state.ts";

/** What is told of a deployment's progress: the condition, and when it was last better than before. */
export const progressing = (status: string, reason: string, message: string) =>
  ({ type: "Progressing", status, reason, message }) as const;

/** Writes down that a set was made or found again, together with its revision. */
export function noteSet(
  deployment: Stored,
  revision: number,
  condition: JsonObject & { type: string; status: string },
  { actor, now }: Reconciling,
): void {
  const time = timestamp(now());
  const conditions = withCondition(
    asObjects(statusOf(deployment)["conditions"]),
    { ...condition, lastUpdateTime: time },
    time,
  );
  actor.status(
    deployment,
    { ...statusOf(deployment), conditions },
    { ...deployment.metadata.annotations, [revisionKey]: String(revision) },
  );
}
