import type { KubeApi } from "@starform/kubernetes/kube-api";
import { expect, test } from "vitest";
import { aService } from "../../../test/desired.ts";
import { cronRunsOf } from "./cron-runs.ts";
import { refTo } from "./manifests/manifest.ts";
import { inventoryName, workloadName } from "./manifests/names.ts";
import type { ClusterView } from "./view/cluster-view.ts";
import type { JobView } from "./view/workload-views.ts";

const minute = (n: number): string => new Date(Date.UTC(2026, 10, 29, 8, n)).toISOString();

/** A run that began at minute 0 and whose Job is gone, with these Jobs of later minutes. */
function runsAfter(outcomes: readonly JobView["outcome"][], isSynced = true) {
  const service = aService({ image: "a", service_type: "cron", schedule: null });
  const going = [{ scheduledFor: minute(0), startedAt: minute(0) }];
  const inventory = { runs: { taken: outcomes.map((_, n) => minute(n + 1)), going } };
  const jobs = outcomes.map(
    (outcome, n) => ({ scheduledFor: minute(n + 1), startedAt: minute(n + 1), outcome }) as JobView,
  );
  const place = {
    jobs: new Map(jobs.map((job) => [job.scheduledFor, job])),
    pods: new Map(),
    objects: new Map([[refTo("ConfigMap", service.namespace, inventoryName(service)), inventory]]),
  };
  const view = { isSynced, place: () => place, podsIn: () => [], eventsOf: () => [] };
  const runs = cronRunsOf({
    api: { patch: async () => undefined } as unknown as KubeApi,
    view: view as unknown as ClusterView,
    services: () => [service],
    nowMs: () => Date.parse(minute(9)),
  });
  return { runs, jobs: place.jobs, known: () => runs.known(service) };
}
/** What is told of it. */
const told = (outcomes: readonly JobView["outcome"][]) =>
  runsAfter(outcomes)
    .runs.pending()
    .find((run) => run.scheduled_for === minute(0));
const three = <T>(one: T): readonly T[] => [one, one, one];

test("how a run ended that was cleaned up while nobody looked is not known, and the later ones tell what is likely", () => {
  const unknown = { outcome: "unknown", started_at: minute(0), ended_at: null };
  const good = three("succeeded" as const);
  const bad = three("failed" as const);
  expect(told([...good, "failed"])).toMatchObject({
    ...unknown,
    reason:
      "nobody looked when it ended, and how it did is not known: its Job was cleaned up after 3 later ones that succeeded: had it failed, it would be there unless somebody deleted it",
  });
  expect(told(["succeeded", ...bad])).toMatchObject({
    ...unknown,
    reason: expect.stringMatching(/3 later ones that failed: had it succeeded, it would be there unless/),
  });
  expect(told([...good, ...bad])).toMatchObject({
    ...unknown,
    reason: expect.stringMatching(/cleaned up after 3 later ones of either outcome$/),
  });
});

test("how a run ended whose Job went while nobody looked, and was not cleaned up, is not known", () => {
  for (const outcomes of [[], ["succeeded", "succeeded", "failed", "failed"]] as const)
    expect(told(outcomes)).toMatchObject({
      outcome: "unknown",
      ended_at: null,
      reason: expect.stringMatching(/its Job was gone when Shuttle came back$/),
    });
});

test("the runs that go on or are still to be told of are named, and none of those that Starbase has", async () => {
  const { runs, known } = runsAfter(["succeeded", "running"]);
  const pending = runs.pending();
  expect(pending.map((run) => [run.scheduled_for, run.outcome])).toEqual([
    [minute(2), "running"],
    [minute(0), "unknown"],
  ]);
  expect(known()!.toSorted()).toEqual(pending.map((run) => run.run_id).toSorted());
  await runs.taken(pending);
  expect(known()).toEqual([pending[0]!.run_id]);
});

test("no run is named, nor left out, by who has not read the cluster to its end", () => {
  expect(runsAfter(["running"], false).known()).toBeUndefined();
});

test("when a run began is told once it is known, and no more often", async () => {
  const { runs, jobs } = runsAfter(["running"]);
  const job = jobs.get(minute(1))!;
  const running = () => runs.pending().filter(({ outcome }) => outcome === "running");
  for (const startedAt of [null, minute(2)]) {
    jobs.set(minute(1), { ...job, startedAt });
    expect(running().map(({ started_at }) => started_at)).toEqual([startedAt]);
    await runs.taken(running());
    expect(running()).toEqual([]);
  }
});

test("a schedule that was changed tells of no runs of the time before", () => {
  const service = aService({ image: "a", service_type: "cron", schedule: "30 3 * * *" });
  const cron = {
    schedule: service.schedule!,
    isGoing: false,
    createdAtMs: Date.parse("2026-11-01T00:00:00Z"),
  };
  const { namespace } = service;
  const objects = new Map<string, unknown>([
    [refTo("CronJob", namespace, workloadName(service)), cron],
    [refTo("ConfigMap", namespace, inventoryName(service)), {}],
  ]);
  const place = { jobs: new Map(), pods: new Map(), objects };
  const view = { isSynced: true, place: () => place, podsIn: () => [], eventsOf: () => [] };
  const now = { ms: Date.parse("2026-11-29T12:00:00Z"), service };
  const runs = cronRunsOf({
    api: { patch: async () => undefined } as unknown as KubeApi,
    view: view as unknown as ClusterView,
    services: () => [now.service],
    nowMs: () => now.ms,
  });
  const told = () => runs.pending().map((run) => [run.scheduled_for, run.outcome]);
  expect(told()).toEqual([]);
  now.ms = Date.parse("2026-11-29T18:02:00Z");
  now.service = { ...service, schedule: "*/10 * * * *" };
  // It is wanted and not applied yet, and then it is.
  expect(told()).toEqual([]);
  objects.set(refTo("CronJob", namespace, workloadName(service)), { ...cron, schedule: "*/10 * * * *" });
  expect(told()).toEqual([]);
  now.ms = Date.parse("2026-11-29T18:14:00Z");
  expect(told()).toEqual([["2026-11-29T18:10:00.000Z", "skipped"]]);
});
