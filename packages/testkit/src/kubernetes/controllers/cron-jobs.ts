import { specOf, statusOf } from "../kinds/in-spec.ts";
import { nextTime, parseCron } from "../model/cron.ts";
import { asObject, asObjects, type JsonObject } from "../model/json.ts";
import { keyOf, timestamp, type Stored } from "../model/object.ts";
import { own, ownerKeys, partsOf, type Controller, type Reconciling } from "./controller.ts";
import { controlled, ownerOf } from "./owned.ts";
import { conditionOf } from "./pod-state.ts";

/** Cron jobs: a job at each of its times, which are in UTC. */
export const cronJobs: Controller = {
  name: "cronjob-controller",
  manager: "kube-controller-manager",
  keysOf: (event) =>
    event.resource === "jobs.batch" ? ownerKeys(event, "CronJob") : own("cronjobs.batch")(event),
  reconcile: (key, context) => {
    const [namespace, name] = partsOf(key);
    const cron = context.cluster.store.get("cronjobs.batch", namespace, name);
    if (!cron || cron.metadata.deletionTimestamp !== undefined) return;
    cleanUp(cron, context);
    const told = tellJobs(cron, context);
    if (specOf(cron)["suspend"] !== true) runDue(told, context);
  },
};

const isDone = (job: Stored): boolean =>
  ["Complete", "Failed"].some((type) => conditionOf(job, type)?.["status"] === "True");
const isGood = (job: Stored): boolean => conditionOf(job, "Complete")?.["status"] === "True";
const jobsOf = (cron: Stored, { cluster }: Reconciling): readonly Stored[] =>
  controlled(cron, "jobs.batch", cluster);
const refTo = (job: Stored): JsonObject => ({
  kind: "Job",
  namespace: job.metadata.namespace,
  name: job.metadata.name,
  uid: job.metadata.uid,
  apiVersion: "batch/v1",
  resourceVersion: job.metadata.resourceVersion,
});

/** Which jobs run, and when one last went well. */
function tellJobs(cron: Stored, context: Reconciling): Stored {
  const all = jobsOf(cron, context);
  const before = asObjects(statusOf(cron)["active"]);
  const active = all.filter((job) => !isDone(job) && before.some(({ uid }) => uid === job.metadata.uid));
  for (const { name, uid } of before) {
    const job = all.find(({ metadata }) => metadata.uid === uid);
    if (job && isDone(job))
      context.actor.tell(cron, {
        reason: "SawCompletedJob",
        message: `Saw completed job: ${String(name)}, condition: ${isGood(job) ? "Complete" : "Failed"}`,
      });
  }
  const successes = all.filter(isGood).map((job) => String(statusOf(job)["completionTime"]));
  const lastSuccessfulTime = [...successes, String(statusOf(cron)["lastSuccessfulTime"] ?? "")]
    .toSorted()
    .at(-1);
  const { active: _active, ...rest } = statusOf(cron);
  return context.actor.status(cron, {
    ...rest,
    ...(active.length > 0 && {
      active: active.map((job) => before.find(({ uid }) => uid === job.metadata.uid) ?? refTo(job)),
    }),
    ...(lastSuccessfulTime && { lastSuccessfulTime }),
  });
}

/** The last time that has come since the one before, and the next one. */
function dueTimes(
  cron: Stored,
  now: Date,
): { readonly due: Date | undefined; readonly next: Date | undefined } {
  const fields = parseCron(String(specOf(cron)["schedule"]));
  const seconds = specOf(cron)["startingDeadlineSeconds"];
  const last = statusOf(cron)["lastScheduleTime"] ?? cron.metadata.creationTimestamp;
  const earliest = typeof seconds === "number" ? now.getTime() - seconds * 1000 : 0;
  let due: Date | undefined;
  let next = nextTime(fields, new Date(Math.max(Date.parse(String(last)), earliest)));
  // However many were missed, only the last of them is made up for.
  while (next && next <= now) [due, next] = [next, nextTime(fields, next)];
  return { due, next };
}

function runDue(cron: Stored, context: Reconciling): void {
  const { now, later, actor } = context;
  const { due, next } = dueTimes(cron, now());
  if (next) later(keyOf(cron.metadata), next.getTime() - now().getTime());
  if (!due) return;
  const active = jobsOf(cron, context).filter((job) => !isDone(job));
  const policy = specOf(cron)["concurrencyPolicy"];
  if (policy === "Forbid" && active.length > 0)
    return actor.tell(cron, {
      reason: "JobAlreadyActive",
      message: "Not starting job because prior execution is running and concurrency policy is Forbid",
    });
  if (policy === "Replace")
    for (const job of active) {
      actor.remove(job, { propagationPolicy: "Background" });
      actor.tell(cron, { reason: "SuccessfulDelete", message: `Deleted job ${job.metadata.name}` });
    }
  const job = actor.create(jobFor(cron, due));
  actor.tell(cron, { reason: "SuccessfulCreate", message: `Created job ${job.metadata.name}` });
  const running = policy === "Replace" ? [] : asObjects(statusOf(cron)["active"]);
  actor.status(cron, {
    ...statusOf(cron),
    active: [...running, refTo(job)],
    lastScheduleTime: timestamp(due),
  });
}

function jobFor(cron: Stored, time: Date): JsonObject {
  const template = asObject(specOf(cron)["jobTemplate"]);
  const { labels, annotations } = asObject(template["metadata"]);
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: {
      // One name per time: whoever tries twice makes one job.
      name: `${cron.metadata.name}-${Math.floor(time.getTime() / 60_000)}`,
      namespace: cron.metadata.namespace,
      ...(labels !== undefined && { labels }),
      annotations: {
        ...asObject(annotations),
        "batch.kubernetes.io/cronjob-scheduled-timestamp": timestamp(time),
      },
      ownerReferences: [ownerOf(cron)],
    },
    spec: asObject(template["spec"]),
  };
}

/** Only the last few jobs are kept, those that went well and those that did not counted apart. */
function cleanUp(cron: Stored, context: Reconciling): void {
  const done = jobsOf(cron, context).filter(isDone);
  const limits = [
    [done.filter(isGood), Number(specOf(cron)["successfulJobsHistoryLimit"] ?? 3)],
    [done.filter((job) => !isGood(job)), Number(specOf(cron)["failedJobsHistoryLimit"] ?? 1)],
  ] as const;
  for (const [kept, limit] of limits) {
    const oldest = kept
      .toSorted((a, b) => (String(statusOf(a)["startTime"]) < String(statusOf(b)["startTime"]) ? -1 : 1))
      .slice(0, Math.max(0, kept.length - limit));
    for (const job of oldest) {
      context.actor.remove(job, { propagationPolicy: "Background" });
      context.actor.tell(cron, { reason: "SuccessfulDelete", message: `Deleted job ${job.metadata.name}` });
    }
  }
}
