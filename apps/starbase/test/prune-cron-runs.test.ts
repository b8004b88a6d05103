import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { postgresClusterStore } from "../src/adapters/postgres/cluster-stores.ts";
import { openDatabase, type Database } from "../src/adapters/postgres/database.ts";
import { pruneCronRuns } from "../src/core/clusters/prune-cron-runs.ts";
import type { ClusterStore } from "../src/core/clusters/ports.ts";
import { aProject, openApiWorld, type ApiWorld } from "./api-world.ts";

let world: ApiWorld;
let database: Database;
let clusters: ClusterStore;
beforeAll(async () => {
  world = await openApiWorld();
  database = openDatabase({ url: world.config.database.url, poolMax: 2, onError: () => undefined });
  clusters = postgresClusterStore(database.db);
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});
beforeEach(() => sql`delete from cron_runs`.execute(database.db));

const now = new Date("2026-11-29T12:00:00Z");
const { signal } = new AbortController();
const prune = () => pruneCronRuns({ clusters, clock: { now: () => now } })(signal);

/** A service with one run a day, the newest that long ago. */
async function aCron(runs: { readonly count: number; readonly newestDaysAgo: number }) {
  const { service } = await aProject(world);
  const { count, newestDaysAgo } = runs;
  await sql`
    insert into cron_runs (run_id, service_id, environment_id, scheduled_for, outcome)
    select ${service.id} || '-' || day, place.service_id, place.environment_id,
      ${now}::timestamptz - (day + ${newestDaysAgo}) * interval '1 day', 'succeeded'
    from service_environments as place, generate_series(0, ${count - 1}) as day
    where place.service_id = ${service.id}`.execute(database.db);
  return {
    /** How many days ago each of what is kept was due, the newest first. */
    async kept() {
      const { rows } = await sql<{ days: number }>`
        select round(extract(epoch from ${now}::timestamptz - scheduled_for) / 86400)::int as days
        from cron_runs where service_id = ${service.id} order by scheduled_for desc`.execute(database.db);
      return rows.map(({ days }) => days);
    },
    goesOn: (day: number) =>
      sql`update cron_runs set outcome = 'running' where run_id = ${`${service.id}-${day}`}`.execute(
        database.db,
      ),
  };
}
const from = (first: number, count: number) => Array.from({ length: count }, (_, at) => first + at);

test("runs are kept for ninety days, and of each cron the newest hundred for ever", async () => {
  const [often, seldom, few] = [
    await aCron({ count: 300, newestDaysAgo: -60 }),
    await aCron({ count: 130, newestDaysAgo: 400 }),
    await aCron({ count: 30, newestDaysAgo: 400 }),
  ];
  await often.goesOn(250);
  expect(await prune()).toBe(300 - 151 - 1 + 30);
  expect(await often.kept()).toEqual([...from(-60, 151), 190]);
  expect(await seldom.kept()).toEqual(from(400, 100));
  expect(await few.kept()).toEqual(from(400, 30));
  expect(await prune()).toBe(0);
});

test("no statement takes more runs than it may, and no pass more statements: the rest is for the next", async () => {
  const cron = await aCron({ count: 130, newestDaysAgo: 400 });
  expect(await clusters.pruneCronRuns({ before: now, kept: 100, max: 7 })).toBe(7);
  expect(await cron.kept()).toHaveLength(123);
  let statements = 0;
  const endless = { pruneCronRuns: async ({ max }: { max: number }) => ((statements += 1), max) };
  expect(await pruneCronRuns({ clusters: endless, clock: { now: () => now } })(signal)).toBe(100_000);
  expect(statements).toBe(20);
});
