import { withCondition } from "../controllers/pod-state.ts";
import type { JsonObject } from "../model/json.ts";
import { timestamp, type Stored } from "../model/object.ts";

export const controllerName = "gateway.envoyproxy.io/gatewayclass-controller";
export const gatewayGroup = "gateway.networking.k8s.io";

/** A verdict on an object: each names the generation that it is about. */
export type Verdict = {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  readonly reason: string;
  readonly message: string;
};

export const verdict = (type: string, isTrue: boolean, reason: string, message: string): Verdict => ({
  type,
  status: isTrue ? "True" : "False",
  reason,
  message,
});

export const withVerdicts = (
  before: readonly JsonObject[],
  verdicts: readonly Verdict[],
  { metadata }: Stored,
  now: Date,
): readonly JsonObject[] =>
  verdicts.reduce<readonly JsonObject[]>(
    (all, one) =>
      withCondition(all, { ...one, observedGeneration: metadata.generation ?? 1 }, timestamp(now)),
    before,
  );
