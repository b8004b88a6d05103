import type { KubeApi } from "@starform/kubernetes/kube-api";
import { expect, test } from "vitest";
import { aService } from "../../../test/desired.ts";
import { cronRunsOf } from "./cron-runs.ts";
import { refTo } from "./manifests/manifest.ts";
import { workloadName } from "./manifests/names.ts";
import type { ClusterView } from "./view/cluster-view.ts";
import type { JobView } from "./view/workload-views.ts";

const minute = (n: number): string => new Date(Date.UTC(2026, 10, 29, 8, n)).toISOString();

/** What is told of a run that began at minute 0 and whose Job is gone, with these Jobs of later minutes. */
function told(outcomes: readonly JobView["outcome"][]) {
  const service = aService({ image: "a", service_type: "cron", schedule: null });
  const runsGoing = [{ scheduledFor: minute(0), startedAt: minute(0) }];
  const cron = { createdAtMs: 0, runsTaken: outcomes.map((_, n) => minute(n + 1)), runsGoing };
  const jobs = outcomes.map(
    (outcome, n) => ({ scheduledFor: minute(n + 1), startedAt: minute(n + 1), outcome }) as JobView,
  );
  const place = {
    jobs: new Map(jobs.map((job) => [job.scheduledFor, job])),
    objects: new Map([[refTo("CronJob", service.namespace, workloadName(service)), cron]]),
  };
  const view = { isSynced: true, place: () => place } as unknown as ClusterView;
  const runs = cronRunsOf({
    api: {} as KubeApi,
    view,
    services: () => [service],
    nowMs: () => Date.parse(minute(9)),
  });
  return runs.pending().find((run) => run.scheduled_for === minute(0));
}
const three = <T>(one: T): readonly T[] => [one, one, one];

test("a run that was cleaned up after later ones that succeeded has succeeded as well", () => {
  expect(told([...three("succeeded" as const), "failed"])).toMatchObject({
    outcome: "succeeded",
    started_at: minute(0),
    ended_at: minute(1),
    reason: expect.stringMatching(
      /^it ended with nobody looking, .* had it failed, it would be there unless/,
    ),
  });
});

test("a run that was cleaned up after later ones that failed has failed as well", () => {
  expect(told(["succeeded", ...three("failed" as const)])).toMatchObject({
    outcome: "failed",
    reason: expect.stringMatching(/had it succeeded, it would be there unless/),
  });
  expect(told([...three("succeeded" as const), ...three("failed" as const)])?.reason).toMatch(
    /whether it failed is not known$/,
  );
});

test("a run whose Job is gone though none is cleaned up yet was deleted", () => {
  for (const outcomes of [[], ["succeeded", "succeeded", "failed", "failed"]] as const)
    expect(told(outcomes)).toMatchObject({
      outcome: "failed",
      ended_at: minute(9),
      reason: expect.stringMatching(/^its Job was gone when Shuttle came back/),
    });
});
