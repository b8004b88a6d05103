import * as clusters from "@starform/contract/clusters";
import * as deployments from "@starform/contract/deployments";
import type { CronOutcome } from "@starform/contract/names";
import * as services from "@starform/contract/services";
import { afterAll, beforeAll, expect, test } from "vitest";
import { aProject, clusterId, openApiWorld, report, type ApiWorld } from "./api-world.ts";

let world: ApiWorld;
beforeAll(async () => {
  world = await openApiWorld({ runtime: "docker" });
});
afterAll(() => world[Symbol.asyncDispose]());

const image = `registry.test/app@sha256:${"a".repeat(64)}`;

/** A cron of its own, told of by its cluster. */
async function aCron() {
  const { project } = await aProject(world);
  const ref = { project: project.slug, service: "nightly" };
  await world.owner(services.createService, {
    params: { project: ref.project },
    body: { name: ref.service, type: "cron", settings: { schedule: "0 4 * * *" } },
  });
  const made = await world.owner(deployments.createDeployment, { params: ref, query: {}, body: { image } });
  return {
    /** What of its runs goes on or is to be told still. */
    knows: (runs_known?: string[]) =>
      report(world, made, {
        phase: "scheduled",
        ready_replicas: 0,
        desired_replicas: 0,
        ...(runs_known ? { runs_known } : {}),
      }),
    tells: (run_id: string, outcome: CronOutcome, reason: string | null = null) =>
      world.cluster(clusters.postStatus, {
        params: { id: clusterId },
        body: {
          reports: [],
          cron_runs: [
            {
              run_id,
              service_id: made.serviceId,
              environment: made.environment,
              scheduled_for: "2026-11-29T04:00:00.000Z",
              started_at: "2026-11-29T04:00:01.000Z",
              ended_at: outcome === "succeeded" ? "2026-11-29T04:00:09.000Z" : null,
              outcome,
              reason,
            },
          ],
        },
      }),
    async runs() {
      const { items } = await world.owner(services.listCronRuns, { params: ref, query: {} });
      return Object.fromEntries(items.map((run) => [run.id, run]));
    },
  };
}

test("a run that its cluster no longer knows of is over, and how it ended is not known", async () => {
  const [cron, other] = [await aCron(), await aCron()];
  for (const id of ["gone", "going", "good"]) await cron.tells(id, "running");
  await cron.tells("good", "succeeded");
  await other.tells("another's", "running");
  // A cluster that does not know names none.
  await cron.knows();
  expect((await cron.runs())["gone"]).toMatchObject({ outcome: "running" });
  await cron.knows(["going"]);
  const { gone, going, good } = await cron.runs();
  expect(gone).toMatchObject({
    outcome: "unknown",
    startedAt: "2026-11-29T04:00:01.000Z",
    endedAt: null,
    reason: "how it ended is not known: it is gone from the cluster, and nobody saw it end",
  });
  expect([going?.outcome, good?.outcome]).toEqual(["running", "succeeded"]);
  await cron.knows([]);
  expect((await cron.runs())["going"]).toMatchObject({ outcome: "unknown" });
  expect((await other.runs())["another's"]).toMatchObject({ outcome: "running" });
});

test("how a run ended is known once the cluster tells, and stays so", async () => {
  const cron = await aCron();
  await cron.tells("told-late", "running");
  await cron.knows([]);
  await cron.tells("told-late", "unknown", "its Job was gone when Shuttle came back");
  expect((await cron.runs())["told-late"]).toMatchObject({
    outcome: "unknown",
    reason: expect.stringMatching(/Job was gone/),
  });
  await cron.tells("told-late", "succeeded");
  for (const late of ["running", "unknown", "failed"] as const) await cron.tells("told-late", late);
  await cron.knows([]);
  expect((await cron.runs())["told-late"]).toMatchObject({
    outcome: "succeeded",
    endedAt: "2026-11-29T04:00:09.000Z",
    reason: null,
  });
});
