import { specOf, statusOf } from "../kinds/in-spec.ts";
import { ApiError } from "../model/api-error.ts";
import { asObject, asObjects } from "../model/json.ts";
import { keyOf, timestamp, type Stored } from "../model/object.ts";
import { own, ownerKeys, partsOf, type Controller, type Reconciling } from "./controller.ts";
import { controlled } from "./owned.ts";
import { ended, endOf, expire, isTracked, numbers, release, stopAll, suspend, tracking } from "./job-end.ts";
import { podOf } from "./pod-of.ts";
import { conditionOf, isActive, isFinished, isReady } from "./pod-state.ts";

const retryMs = 10_000;
const longestRetryMs = 360_000;

/** Jobs: pods until enough of them have succeeded, or too many failed, or the time is over. */
export const jobs: Controller = {
  name: "job-controller",
  manager: "kube-controller-manager",
  keysOf: (event) => (event.resource === "pods" ? ownerKeys(event, "Job") : own("jobs.batch")(event)),
  reconcile: (key, context) => {
    const [namespace, name] = partsOf(key);
    const job = context.cluster.store.get("jobs.batch", namespace, name);
    if (!job) return;
    if (endOf(job)) return expire(job, context);
    if (job.metadata.deletionTimestamp === undefined) sync(job, context);
  },
};

const phaseIs =
  (phase: string) =>
  (pod: Stored): boolean =>
    statusOf(pod)["phase"] === phase;

function sync(job: Stored, context: Reconciling): void {
  const { actor, now, later } = context;
  const spec = specOf(job);
  const time = timestamp(now());
  if (spec["suspend"] === true) return suspend(job, context);
  const pods = controlled(job, "pods", context.cluster);
  const [succeeded, failed] = [pods.filter(phaseIs("Succeeded")), pods.filter(phaseIs("Failed"))];
  // One that is deleted before it was counted has failed, however it ends.
  const isLost = (pod: Stored): boolean =>
    pod.metadata.deletionTimestamp !== undefined && !phaseIs("Succeeded")(pod);
  const counted = Number(statusOf(job)["failed"] ?? 0);
  const fresh = pods.filter((pod) => isTracked(pod) && (phaseIs("Failed")(pod) || isLost(pod)));
  const decided = conditionOf(job, "FailureTarget");
  const failures = decided ? counted : counted + fresh.length;
  const active = pods.filter(isActive);
  const startTime = String(statusOf(job)["startTime"] ?? time);
  const deadline =
    spec["activeDeadlineSeconds"] === undefined
      ? undefined
      : Date.parse(startTime) + Number(spec["activeDeadlineSeconds"]) * 1000;
  const wanted = Number(spec["completions"] ?? 1);
  const verdict = decided
    ? {
        type: "Failed",
        first: "FailureTarget",
        reason: String(decided["reason"]),
        message: String(decided["message"]),
      }
    : succeeded.length >= wanted
      ? {
          type: "Complete",
          first: "SuccessCriteriaMet",
          reason: "CompletionsReached",
          message: "Reached expected number of succeeded pods",
        }
      : failures > Number(spec["backoffLimit"] ?? 6)
        ? {
            type: "Failed",
            first: "FailureTarget",
            reason: "BackoffLimitExceeded",
            message: "Job has reached the specified backoff limit",
          }
        : deadline !== undefined && deadline <= now().getTime()
          ? {
              type: "Failed",
              first: "FailureTarget",
              reason: "DeadlineExceeded",
              message: "Job was active longer than specified deadline",
            }
          : undefined;
  if (deadline !== undefined && !verdict)
    later(keyOf(job.metadata), Math.max(1000, deadline - now().getTime() + 1000));
  const { made, failure } = verdict
    ? { made: stopAll(active, context), failure: undefined }
    : fill(job, { active, succeeded, failed, wanted }, context);
  const terminating = pods.filter((pod) => pod.metadata.deletionTimestamp !== undefined && !isFinished(pod));
  const isOver = terminating.length === 0 && active.length === 0;
  actor.status(job, {
    ...numbers({
      active: verdict ? 0 : active.length + made,
      succeeded: succeeded.length,
      failed: failures + (verdict?.type === "Failed" ? active.length : 0),
      ready: active.filter(isReady).length,
    }),
    startTime,
    terminating: terminating.length,
    uncountedTerminatedPods: {},
    ...(verdict
      ? ended(job, { ...verdict, isOver }, time)
      : { conditions: asObjects(statusOf(job)["conditions"]) }),
  });
  for (const pod of [...succeeded, ...failed, ...fresh]) release(pod, context);
  if (verdict && isOver)
    actor.tell(
      job,
      verdict.type === "Complete"
        ? { reason: "Completed", message: "Job completed" }
        : { type: "Warning", reason: verdict.reason, message: verdict.message },
    );
  if (failure) throw failure;
}

type Counts = {
  readonly active: readonly Stored[];
  readonly succeeded: readonly Stored[];
  readonly failed: readonly Stored[];
  readonly wanted: number;
};

type Filled = { readonly made: number; readonly failure: ApiError | undefined };

/** Makes the pods that are missing; after a failure it waits, twice as long each time. A refusal is told as an event only. */
function fill(job: Stored, { active, succeeded, failed, wanted }: Counts, context: Reconciling): Filled {
  const { actor, now, later } = context;
  const parallel = Math.min(Number(specOf(job)["parallelism"] ?? 1), wanted - succeeded.length);
  const missing = parallel - active.length;
  if (missing <= 0) return { made: 0, failure: undefined };
  const lastFailure = Math.max(0, ...failed.map(finishedAt));
  const wait =
    failed.length === 0
      ? 0
      : lastFailure + Math.min(longestRetryMs, retryMs * 2 ** (failed.length - 1)) - now().getTime();
  if (wait > 0) {
    later(keyOf(job.metadata), wait);
    return { made: 0, failure: undefined };
  }
  for (let made = 0; made < missing; made++)
    try {
      const pod = actor.create(podOf(asObject(specOf(job)["template"]), job, { finalizers: [tracking] }));
      actor.tell(job, { reason: "SuccessfulCreate", message: `Created pod: ${pod.metadata.name}` });
    } catch (failure) {
      if (!(failure instanceof ApiError)) throw failure;
      const message = `Error creating: ${failure.message}`;
      actor.tell(job, { type: "Warning", reason: "FailedCreate", message });
      return { made, failure };
    }
  return { made: missing, failure: undefined };
}

const finishedAt = (pod: Stored): number =>
  Math.max(
    0,
    ...asObjects(statusOf(pod)["containerStatuses"]).map(
      ({ state }) => Date.parse(String(asObject(asObject(state)["terminated"])["finishedAt"])) || 0,
    ),
  );
