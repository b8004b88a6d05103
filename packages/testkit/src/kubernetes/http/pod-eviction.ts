import type { Cluster } from "../cluster.ts";
import { budgetsOf } from "../controllers/disruption-budgets.ts";
import { isReady } from "../controllers/pod-state.ts";
import { bindPod } from "../controllers/scheduler.ts";
import { statusOf, specOf } from "../kinds/in-spec.ts";
import { ApiError, badRequest, conflict, notAllowed } from "../model/api-error.ts";
import { asObject, put, type JsonObject } from "../model/json.ts";
import type { Stored } from "../model/object.ts";
import type { Call } from "../verbs/call.ts";
import { deleteOptions, remove } from "../verbs/delete.ts";
import { existing } from "../verbs/update.ts";
import { requiredBody, type ApiRequest, type ApiResponse } from "./api-request.ts";
import type { Subresource } from "./subresources.ts";

const done: ApiResponse = {
  status: 201,
  body: { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 },
};

function heldBack(message: string): ApiError {
  return new ApiError(429, {
    reason: "TooManyRequests",
    message: "Cannot evict pod as it would violate the pod's disruption budget.",
    details: { causes: [{ reason: "DisruptionBudget", message }] },
  });
}

/** Takes one disruption off the budget that covers the pod, or refuses. */
function spend(pod: Stored, call: Call, cluster: Cluster): void {
  const budgets = budgetsOf(pod, cluster);
  const [budget] = budgets;
  if (!budget) return;
  if (budgets.length > 1)
    throw new ApiError(500, {
      message:
        "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
      reason: "InternalError",
    });
  const {
    disruptionsAllowed = 0,
    desiredHealthy = 0,
    currentHealthy = 0,
  } = statusOf(budget) as Readonly<Record<string, number>>;
  const isBroken = !isReady(pod);
  // A pod that does not work may go as long as enough others do, or always when the budget says so.
  if (
    isBroken &&
    (specOf(budget)["unhealthyPodEvictionPolicy"] === "AlwaysAllow" || currentHealthy >= desiredHealthy)
  )
    return;
  if (disruptionsAllowed <= 0)
    throw heldBack(
      `The disruption budget ${budget.metadata.name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`,
    );
  if (!call.dryRun)
    cluster.store.write(
      "poddisruptionbudgets.policy",
      put(budget, ["status", "disruptionsAllowed"], disruptionsAllowed - 1),
    );
}

function evict(request: ApiRequest, call: Call, cluster: Cluster): ApiResponse {
  if (request.method !== "POST") throw notAllowed();
  const pod = existing(call, cluster);
  const isFree =
    ["Pending", "Succeeded", "Failed"].includes(String(statusOf(pod)["phase"])) ||
    pod.metadata.deletionTimestamp !== undefined;
  if (!isFree) spend(pod, call, cluster);
  const options = deleteOptions(asObject(requiredBody(request))["deleteOptions"], request.query);
  remove(options, { ...call, subresource: undefined }, cluster);
  return done;
}

export const eviction: Subresource = {
  has: (kind) => kind.resource === "pods",
  verbs: ["create"],
  speaks: { group: "policy", version: "v1", kind: "Eviction" },
  serve: evict,
};

/** Somebody else's scheduler places a pod. */
export const binding: Subresource = {
  has: (kind) => kind.resource === "pods",
  verbs: ["create"],
  speaks: { group: "", version: "v1", kind: "Binding" },
  serve: (request, call, cluster) => {
    if (request.method !== "POST") throw notAllowed();
    const node = asObject(asObject(requiredBody(request) as JsonObject)["target"])["name"];
    if (typeof node !== "string") throw badRequest("target.name is required");
    const pod = existing(call, cluster);
    if (specOf(pod)["nodeName"] !== undefined)
      throw conflict(
        { ...call.kind, plural: "pods/binding" },
        call.name,
        `pod ${call.name} is already assigned to node ${JSON.stringify(specOf(pod)["nodeName"])}`,
      );
    bindPod(pod, node, { cluster, now: () => cluster.clock.now() });
    return done;
  },
};
