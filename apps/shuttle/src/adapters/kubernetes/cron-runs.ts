import { createHash } from "node:crypto";
import type { CronRunReport, DesiredService } from "@starform/contract/clusters";
import type { KubeApi } from "@starform/kubernetes/kube-api";
import { dueRuns } from "../../core/cron-schedule.ts";
import { keyOf, type ServiceKey } from "../../core/service-key.ts";
import { prefix } from "./manifests/labels.ts";
import { refTo } from "./manifests/manifest.ts";
import { workloadName } from "./manifests/names.ts";
import { podTrouble } from "./observe/pod-trouble.ts";
import { refusedPodWords } from "./observe/refused-pods.ts";
import type { ClusterView, Place } from "./view/cluster-view.ts";
import { cronJobKind, jobKind } from "./view/kinds.ts";
import { runReported, runsSeenUntil, type CronJobView, type JobView } from "./view/workload-views.ts";

/** The CronJob controller begins a run that was held up for as long as this; one without a Job by then was skipped. */
const settledAfterMs = 210_000;
/** A report of a run whose Job is gone already is kept in this number, the newest. */
const keptMax = 1_000;

type Deps = {
  readonly api: KubeApi;
  readonly view: ClusterView;
  readonly services: () => Iterable<DesiredService>;
  readonly nowMs: () => number;
};
export type CronRuns = ReturnType<typeof cronRunsOf>;

/**
 * The runs of cron services, read from their Jobs. What Starbase has taken is written on the Job itself, so it is kept
 * over restarts; a run whose Job is cleaned up before it was taken is kept here. Skipped runs are those of the schedule
 * that no Job was made for while this process watched: of the time before nothing is known, and nothing is told.
 */
export function cronRunsOf({ api, view, services, nowMs }: Deps) {
  const startedMs = nowMs();
  /** Reports of Jobs, by run; those of Jobs that are gone stay until they are taken. */
  const kept = new Map<string, CronRunReport>();
  const taken = new Map<string, CronRunReport["outcome"]>();

  const jobsOf = (key: ServiceKey): readonly JobView[] => [...(view.place(key)?.jobs.values() ?? [])];

  const keep = (report: CronRunReport): void => {
    if (taken.get(report.run_id) !== report.outcome) kept.set(report.run_id, report);
  };
  const read = (service: DesiredService): void => {
    const key = keyOf(service);
    const place = view.place(key);
    for (const job of place?.jobs.values() ?? []) {
      const report = reportOf(service, job, place);
      if (job.reported !== report.outcome) keep(report);
    }
    for (const report of skippedOf(service, key)) keep(report);
    for (const runId of [...kept.keys()].slice(0, Math.max(0, kept.size - keptMax))) kept.delete(runId);
  };

  const skippedOf = (service: DesiredService, key: ServiceKey): readonly CronRunReport[] => {
    const cron = cronJobOf(service, view.place(key));
    if (!cron || !service.schedule || cron.isGoing) return [];
    const seen = Math.max(
      startedMs - settledAfterMs,
      cron.createdAtMs,
      Date.parse(cron.runsSeenUntil ?? "") || 0,
    );
    const until = nowMs() - settledAfterMs;
    if (until <= seen) return [];
    const jobs = jobsOf(key);
    const begun = new Set(jobs.map(({ scheduledFor }) => Date.parse(scheduledFor)));
    return dueRuns(service.schedule, new Date(seen), new Date(until))
      .runs.filter(({ at }) => !begun.has(at.getTime()) && !isBeforeAllOf(jobs, at))
      .map(({ at }) =>
        skipped(
          service,
          at,
          jobs.find((job) => wasGoing(job, at)),
        ),
      );
  };

  /** Which runs Starbase has is kept where the runs are. */
  const note = async (report: CronRunReport, service: DesiredService | undefined): Promise<void> => {
    if (!service) return;
    const key = keyOf(service);
    const job = jobsOf(key).find((each) => each.scheduledFor === report.scheduled_for);
    const cron = cronJobOf(service, view.place(key));
    const annotate = (name: string, value: string) => ({
      metadata: { annotations: { [prefix + name]: value } },
    });
    if (job && report.outcome !== "running")
      await api.patch(
        { ...jobKind, name: job.name, namespace: job.namespace },
        annotate(runReported, report.outcome),
      );
    else if (cron && report.outcome === "skipped")
      await api.patch(
        { ...cronJobKind, name: cron.name, namespace: cron.namespace },
        annotate(runsSeenUntil, report.scheduled_for),
      );
  };

  return {
    pending(): readonly CronRunReport[] {
      for (const service of services()) if (service.service_type === "cron") read(service);
      return [...kept.values()].filter(({ run_id, outcome }) => taken.get(run_id) !== outcome);
    },
    async taken(runs: readonly CronRunReport[]): Promise<void> {
      const byPlace = new Map(
        [...services()].map((service) => [`${service.service_id}/${service.environment}`, service]),
      );
      for (const run of runs) {
        taken.set(run.run_id, run.outcome);
        if (run.outcome !== "running" && kept.get(run.run_id)?.outcome === run.outcome)
          kept.delete(run.run_id);
        // What cannot be written down is told again after a restart, which changes nothing.
        await note(run, byPlace.get(`${run.service_id}/${run.environment}`)).catch(() => undefined);
      }
      for (const runId of [...taken.keys()].slice(0, Math.max(0, taken.size - keptMax))) taken.delete(runId);
    },
  };
}

const cronJobOf = (service: DesiredService, place: Place | undefined): CronJobView | undefined =>
  place?.objects.get(refTo("CronJob", service.namespace, workloadName(service))) as CronJobView | undefined;

/** Old Jobs are cleaned up: a time before the oldest that is kept may have had one. */
const isBeforeAllOf = (jobs: readonly JobView[], at: Date): boolean =>
  jobs.length > 0 && jobs.every(({ scheduledFor }) => Date.parse(scheduledFor) > at.getTime());

const wasGoing = ({ startedAt, endedAt }: JobView, at: Date): boolean =>
  startedAt !== null &&
  Date.parse(startedAt) <= at.getTime() &&
  (endedAt === null || Date.parse(endedAt) > at.getTime());

/** The same id whenever the same run is told. */
const runIdOf = (service: DesiredService, scheduledFor: string): string =>
  createHash("sha256")
    .update(`${service.service_id}/${service.environment}/${scheduledFor}`)
    .digest("hex")
    .slice(0, 32);

const skipped = (service: DesiredService, at: Date, busy: JobView | undefined): CronRunReport => ({
  run_id: runIdOf(service, at.toISOString()),
  service_id: service.service_id,
  environment: service.environment,
  scheduled_for: at.toISOString(),
  started_at: null,
  ended_at: null,
  outcome: "skipped",
  reason: busy
    ? `the run of ${busy.scheduledFor} was still going`
    : "the cluster could not begin it within 200 s of its time",
});

function reportOf(service: DesiredService, job: JobView, place: Place | undefined): CronRunReport {
  const pod = [...(place?.pods.values() ?? [])].find(({ ownerUid }) => ownerUid === job.uid);
  const trouble = pod && podTrouble(pod, service, []);
  const said = /forbidden/.test(job.message) ? refusedPodWords(job.message, []).sentence : job.message;
  return {
    run_id: runIdOf(service, job.scheduledFor),
    service_id: service.service_id,
    environment: service.environment,
    scheduled_for: job.scheduledFor,
    started_at: job.startedAt,
    ended_at: job.endedAt,
    outcome: job.outcome,
    reason:
      job.outcome === "failed"
        ? (trouble?.sentence ?? (said || "it failed, and the cluster does not say why"))
        : null,
  };
}
