import { createHash } from "node:crypto";
import type { CronRunReport, DesiredService } from "@starform/contract/clusters";
import type { KubeApi } from "@starform/kubernetes/kube-api";
import { dueRuns } from "../../core/cron-schedule.ts";
import { keyOf, type ServiceKey } from "../../core/service-key.ts";
import { jobsHistoryLimit, scheduleFor } from "./manifests/cron-job.ts";
import { refTo } from "./manifests/manifest.ts";
import { inventoryName, workloadName } from "./manifests/names.ts";
import { podTrouble } from "./observe/pod-trouble.ts";
import { refusedPodWords } from "./observe/refused-pods.ts";
import { podsOf, runTrouble } from "./observe/run-trouble.ts";
import type { ClusterView, Place } from "./view/cluster-view.ts";
import { configMapKind } from "./view/kinds.ts";
import { annotationsOf, type ConfigMapView, type RunNotes } from "./view/run-notes.ts";
import type { CronJobView, JobView } from "./view/workload-views.ts";

/** The CronJob controller begins a run that was held up for as long as this; one without a Job by then was skipped. */
const settledAfterMs = 210_000;
/** A report of a run whose Job is gone already is kept in this number, the newest. */
const keptMax = 1_000;
/** Of one service; more than there can be within `settledAfterMs` and the time a run may take. */
const begunMax = 500;

type Deps = {
  readonly api: KubeApi;
  readonly view: ClusterView;
  readonly services: () => Iterable<DesiredService>;
  readonly nowMs: () => number;
};
/**
 * A run that this process knows to have begun; `wasSeen`: by its Job, and not from what was written down alone. One of
 * unknown outcome was over by `endedAt` at the latest.
 */
type Begun = Pick<JobView, "scheduledFor" | "startedAt" | "endedAt"> & {
  readonly outcome: CronRunReport["outcome"];
  readonly wasSeen: boolean;
};
export type CronRuns = ReturnType<typeof cronRunsOf>;

/**
 * The runs of cron services, read from their Jobs. What Starbase has taken is written on the list of what was made for the
 * service, so it is kept over restarts. It is not written on the CronJob: a controller whose own write is overtaken right
 * after it made a Job does not know that Job again, and begins none while it tries to. A run whose Job is cleaned up before
 * it was taken is kept here. One whose Job was seen to go while it ran has failed; how one ended that nobody saw end is not
 * known. Skipped runs are those of the schedule that no Job was made for while this process watched and the cluster went by
 * that schedule: of the time before nothing is known, and nothing is told.
 */
export function cronRunsOf({ api, view, services, nowMs }: Deps) {
  const startedMs = nowMs();
  /** Reports of Jobs, by run; those of Jobs that are gone stay until they are taken. */
  const kept = new Map<string, CronRunReport>();
  const taken = new Map<string, string>();
  /** Their Jobs may be cleaned up before a skipped run is certain, or before they end. */
  const begun = new Map<ServiceKey, Map<string, Begun>>();
  /** The schedule that the cluster goes by, and since when, where it was seen to change. */
  const inForce = new Map<ServiceKey, { readonly schedule: string; readonly sinceMs: number }>();
  const inForceSinceMs = (key: ServiceKey, schedule: string): number => {
    const before = inForce.get(key);
    if (before?.schedule === schedule) return before.sinceMs;
    const sinceMs = before ? nowMs() : 0;
    inForce.set(key, { schedule, sinceMs });
    return sinceMs;
  };

  const jobsOf = (key: ServiceKey): readonly JobView[] => [...(view.place(key)?.jobs.values() ?? [])];

  /** Why a run does not begin may come to be known, and change, while it is tried. */
  const isNews = (report: CronRunReport): boolean => taken.get(report.run_id) !== toldOf(report);
  const keep = (report: CronRunReport): void => {
    if (isNews(report)) kept.set(report.run_id, report);
    else if (report.outcome === "running") kept.delete(report.run_id);
  };
  const remember = (key: ServiceKey, notes: RunNotes | undefined): void => {
    const own = begun.get(key) ?? new Map<string, Begun>();
    begun.set(key, own);
    for (const run of notes?.going ?? [])
      if (!own.has(run.scheduledFor))
        own.set(run.scheduledFor, { ...run, endedAt: null, outcome: "running", wasSeen: false });
    for (const { scheduledFor, startedAt, endedAt, outcome } of jobsOf(key))
      own.set(scheduledFor, { scheduledFor, startedAt, endedAt, outcome, wasSeen: true });
    for (const at of [...own.keys()].slice(0, Math.max(0, own.size - begunMax))) own.delete(at);
  };
  const read = (service: DesiredService): void => {
    const key = keyOf(service);
    const place = view.place(key);
    const cron = cronJobOf(service, place);
    const notes = inventoryOf(service, place)?.runs;
    remember(key, notes);
    const known = new Set(notes?.taken);
    for (const job of place?.jobs.values() ?? []) {
      const isKnown = job.outcome !== "running" && known.has(job.scheduledFor);
      if (!isKnown) keep(reportOf(service, job, reasonOf(view, service, job)));
    }
    for (const report of [...lostOf(service, key, cron), ...skippedOf(service, key)]) keep(report);
    for (const runId of [...kept.keys()].slice(0, Math.max(0, kept.size - keptMax))) kept.delete(runId);
  };

  /** Runs whose Jobs went before they were seen to end: nothing else will ever tell of them. */
  const lostOf = (
    service: DesiredService,
    key: ServiceKey,
    cron: CronJobView | undefined,
  ): readonly CronRunReport[] => {
    if (!view.isSynced) return [];
    const jobs = jobsOf(key);
    const present = new Set(jobs.map(({ scheduledFor }) => scheduledFor));
    const own = begun.get(key) ?? new Map<string, Begun>();
    const lost = [...own.values()].filter(
      ({ outcome, scheduledFor }) => outcome === "running" && !present.has(scheduledFor),
    );
    return lost.map((run) => {
      const { reason, ...end } = cleanedUp(run, jobs) ?? {
        outcome: run.wasSeen ? ("failed" as const) : ("unknown" as const),
        endedAt: new Date(nowMs()).toISOString(),
        reason: lostWords(run, cron),
      };
      const ended = { ...run, ...end };
      own.set(run.scheduledFor, ended);
      return reportOf(service, ended, reason);
    });
  };
  const skippedOf = (service: DesiredService, key: ServiceKey): readonly CronRunReport[] => {
    const place = view.place(key);
    const cron = cronJobOf(service, place);
    if (!cron || cron.isGoing) return [];
    const sinceMs = inForceSinceMs(key, cron.schedule);
    if (!service.schedule || scheduleFor(service) !== cron.schedule) return [];
    const seen = Math.max(
      startedMs - settledAfterMs,
      cron.createdAtMs,
      sinceMs,
      Date.parse(inventoryOf(service, place)?.runs?.seenUntil ?? "") || 0,
    );
    const until = nowMs() - settledAfterMs;
    if (until <= seen) return [];
    const jobs = [...(begun.get(key)?.values() ?? [])];
    // Of the time before this process, Jobs may have been cleaned up: what is older than the oldest may have had one.
    const isUnknown = (at: Date): boolean =>
      at.getTime() < startedMs && jobs.every(({ scheduledFor }) => Date.parse(scheduledFor) > at.getTime());
    return dueRuns(service.schedule, new Date(seen), new Date(until))
      .runs.filter(({ at }) => !begun.get(key)?.has(at.toISOString()) && !isUnknown(at))
      .map(({ at }) =>
        skipped(
          service,
          at,
          jobs.find((job) => wasGoing(job, at)),
        ),
      );
  };

  /** Which runs Starbase has is kept where the runs are: of those whose Jobs are still there, over or not, and of skipped ones. */
  const note = async (runs: readonly CronRunReport[], service: DesiredService): Promise<void> => {
    const key = keyOf(service);
    const inventory = inventoryOf(service, view.place(key));
    if (!inventory) return;
    const over = runs.filter(({ outcome }) => outcome !== "running");
    const jobs = jobsOf(key);
    const present = new Set(jobs.map(({ scheduledFor }) => scheduledFor));
    const times = new Set([...(inventory.runs?.taken ?? []), ...over.map((run) => run.scheduled_for)]);
    const skips = over.filter(({ outcome }) => outcome === "skipped").map((run) => run.scheduled_for);
    const annotations = annotationsOf({
      taken: [...times].filter((time) => present.has(time)).toSorted(),
      going: jobs.filter(({ outcome }) => outcome === "running"),
      seenUntil: skips.toSorted().at(-1),
    });
    const { name, namespace } = inventory;
    await api.patch({ ...configMapKind, name, namespace }, { metadata: { annotations } });
  };

  return {
    pending(): readonly CronRunReport[] {
      for (const service of services()) if (service.service_type === "cron") read(service);
      return [...kept.values()].filter(isNews);
    },
    /** Ids of the service's runs that go on or are still to be told of; undefined while that is not known. */
    known(service: DesiredService): readonly string[] | undefined {
      if (!view.isSynced) return undefined;
      read(service);
      const going = jobsOf(keyOf(service))
        .filter(({ outcome }) => outcome === "running")
        .map(({ scheduledFor }) => runIdOf(service, scheduledFor));
      const untold = [...kept.values()].filter(
        (run) =>
          run.service_id === service.service_id && run.environment === service.environment && isNews(run),
      );
      return [...new Set([...going, ...untold.map(({ run_id }) => run_id)])];
    },
    async taken(runs: readonly CronRunReport[]): Promise<void> {
      for (const run of runs) {
        taken.set(run.run_id, toldOf(run));
        if (run.outcome !== "running" && kept.get(run.run_id)?.outcome === run.outcome)
          kept.delete(run.run_id);
      }
      for (const service of services()) {
        const own = runs.filter(
          (run) => run.service_id === service.service_id && run.environment === service.environment,
        );
        // What cannot be written down is told again after a restart, which changes nothing.
        if (own.length > 0) await note(own, service).catch(() => undefined);
      }
      for (const runId of [...taken.keys()].slice(0, Math.max(0, taken.size - keptMax))) taken.delete(runId);
    },
  };
}

export const cronJobOf = (service: DesiredService, place: Place | undefined): CronJobView | undefined =>
  place?.objects.get(refTo("CronJob", service.namespace, workloadName(service))) as CronJobView | undefined;

const inventoryOf = (service: DesiredService, place: Place | undefined): ConfigMapView | undefined =>
  place?.objects.get(refTo("ConfigMap", service.namespace, inventoryName(service))) as
    | ConfigMapView
    | undefined;

const toldOf = ({ outcome, started_at, reason }: CronRunReport): string =>
  outcome === "running" ? `running ${started_at ?? ""} ${reason ?? ""}` : outcome;

const wasGoing = ({ startedAt, endedAt }: Begun, at: Date): boolean =>
  startedAt !== null &&
  Date.parse(startedAt) <= at.getTime() &&
  (endedAt === null || Date.parse(endedAt) > at.getTime());

/** The same id whenever the same run is told. */
const runIdOf = (service: DesiredService, scheduledFor: string): string =>
  createHash("sha256")
    .update(`${service.service_id}/${service.environment}/${scheduledFor}`)
    .digest("hex")
    .slice(0, 32);

const skipped = (service: DesiredService, at: Date, busy: Begun | undefined): CronRunReport => ({
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

const reportOf = (
  service: DesiredService,
  run: Omit<Begun, "wasSeen">,
  reason: string | null,
): CronRunReport => ({
  run_id: runIdOf(service, run.scheduledFor),
  service_id: service.service_id,
  environment: service.environment,
  scheduled_for: run.scheduledFor,
  started_at: run.startedAt,
  ended_at: run.outcome === "unknown" ? null : run.endedAt,
  outcome: run.outcome,
  reason,
});

/**
 * Of a run whose Job is no longer there, what the Jobs of later runs tell: as many of one outcome as are kept mean that the
 * cluster cleans up earlier ones of that outcome, and fewer that it would still be there. One never runs beside another, so
 * that it ended before they began. Undefined where none is cleaned up.
 */
function cleanedUp(
  { scheduledFor }: Begun,
  jobs: readonly JobView[],
): (Pick<Begun, "outcome" | "endedAt"> & { readonly reason: string }) | undefined {
  const later = jobs.filter((job) => job.scheduledFor > scheduledFor);
  const isFull = (as: JobView["outcome"]): boolean =>
    later.filter(({ outcome }) => outcome === as).length >= jobsHistoryLimit;
  const [good, bad] = [isFull("succeeded"), isFull("failed")];
  if (!good && !bad) return undefined;
  const [endedAt = null] = later.flatMap((job) => job.startedAt ?? []).toSorted();
  const likely = good
    ? " that succeeded: had it failed, it would be there unless somebody deleted it"
    : " that failed: had it succeeded, it would be there unless somebody deleted it";
  return {
    endedAt,
    outcome: "unknown",
    reason: `${notKnown}: its Job was cleaned up after ${jobsHistoryLimit} later ones${good && bad ? " of either outcome" : likely}`,
  };
}

const notKnown = "nobody looked when it ended, and how it did is not known";

/** The API server does not keep who deleted what. */
function lostWords({ wasSeen, startedAt }: Begun, cron: CronJobView | undefined): string {
  if (!wasSeen) return `${notKnown}: its Job was gone when Shuttle came back`;
  const isOfOlder = !cron || cron.createdAtMs > Date.parse(startedAt ?? "");
  return `its ${isOfOlder ? "CronJob" : "Job"} was deleted from outside of Starform while it ran; by whom, the cluster's audit log can tell`;
}

/** A Job counts a pod that is deleted as one that failed, and lets go of it before it says so. */
const isOutOfTries = ({ message }: JobView): boolean => /backoff limit/.test(message);
const takenAway =
  "its instance was taken away before it ended: with its node, by whoever emptied that, or by hand";

const reasonOf = (view: ClusterView, service: DesiredService, job: JobView): string | null =>
  job.outcome === "failed"
    ? reasonOfFailure(view, service, job)
    : (runTrouble(view, service, job)?.sentence ?? null);

function reasonOfFailure(view: ClusterView, service: DesiredService, job: JobView): string {
  if (job.endedBecause !== undefined) return `${job.endedBecause}; a newer deployment took its place`;
  const [pod] = podsOf(view, job);
  if (pod?.isGoing) return takenAway;
  const trouble = pod && podTrouble(pod, service, view.eventsOf(pod.uid));
  const said = /forbidden/.test(job.message) ? refusedPodWords(job.message, []).sentence : job.message;
  if (!trouble && isOutOfTries(job)) return takenAway;
  return trouble?.sentence ?? (said || "it failed, and the cluster does not say why");
}
