import * as clusters from "@starform/contract/clusters";
import type { Snapshot } from "@starform/contract/clusters";
import { deleteService } from "@starform/contract/services";
import { uuid } from "@starform/std/ids";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { postgresClusterStore } from "../src/adapters/postgres/cluster-stores.ts";
import { openDatabase, type Database } from "../src/adapters/postgres/database.ts";
import { aProject, clusterId, openApiWorld, type ApiWorld } from "./api-world.ts";

let world: ApiWorld;
let database: Database;
beforeAll(async () => {
  world = await openApiWorld();
  database = openDatabase({ url: world.config.database.url, poolMax: 2, onError: () => undefined });
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

const of = (
  { project, service }: Awaited<ReturnType<typeof aProject>>,
  change: Partial<Snapshot> = {},
): Snapshot => ({
  snapshot_id: uuid(),
  workspace_id: project.workspaceId,
  project_id: project.id,
  environment: "production",
  service_id: service.id,
  pod_id: "p",
  tier: "nova",
  phase: "running",
  snapshot_timestamp: new Date().toISOString(),
  cpu_request_millis: 500,
  memory_request_bytes: 2 ** 30,
  ...change,
});
const send = (...snapshots: Snapshot[]) =>
  world.cluster(clusters.postSnapshots, { params: { id: clusterId }, body: { snapshots } });
const minutesOf = async (serviceId: string) =>
  (
    await sql<{
      n: number;
    }>`select coalesce(sum(pod_minutes), 0)::int as n from usage_totals where service_id = ${serviceId}`.execute(
      database.db,
    )
  ).rows[0]!.n;

describe("a snapshot", () => {
  test("is counted only for what its cluster runs: the rest is refused by name, and counted for nobody", async () => {
    const [ours, other, elsewhere] = [await aProject(world), await aProject(world), await aProject(world)];
    const foreignCluster = uuid();
    await sql`insert into clusters (id, region_id, token_hash, runtime, created_at)
      values (${foreignCluster}, 'local', '\\x00', 'process', now())`.execute(database.db);
    await sql`update projects set cluster_id = ${foreignCluster} where id = ${elsewhere.project.id}`.execute(
      database.db,
    );
    const wrong = [
      of(ours, { workspace_id: uuid() }),
      of(ours, { service_id: other.service.id }),
      of(ours, { service_id: uuid() }),
      of(ours, { environment: "staging" }),
      of(elsewhere),
    ];
    const answer = await send(of(ours), ...wrong, of(other));
    expect(answer).toMatchObject({ accepted: 2, repeated: 0 });
    expect(answer.refused.map((r) => r.snapshot_id)).toEqual(wrong.map((s) => s.snapshot_id));
    expect(answer.refused[0]!.reason).toContain(ours.service.id);
    for (const { service } of [ours, other]) expect(await minutesOf(service.id)).toBe(1);
    expect(await minutesOf(elsewhere.service.id)).toBe(0);
    const { rows } =
      await sql`select from usage_totals where workspace_id <> ${ours.project.workspaceId}`.execute(
        database.db,
      );
    expect(rows).toEqual([]);
  });

  test("of a service that was deleted since is still counted, if it was ever metered", async () => {
    const [metered, never] = [await aProject(world), await aProject(world)];
    await send(of(metered));
    for (const { ref } of [metered, never]) await world.owner(deleteService, { params: ref });
    expect(await send(of(metered), of(never))).toMatchObject({
      accepted: 1,
      refused: [{ reason: expect.stringContaining(never.service.id) }],
    });
    expect(await minutesOf(metered.service.id)).toBe(2);
  });

  test("is counted with its batch in one statement: once each, by day, with what it asked for", async () => {
    const [first, second] = [await aProject(world), await aProject(world)];
    const at = (minute: number) => new Date(Date.UTC(2026, 10, 29, 23, minute)).toISOString();
    const before = of(first, { snapshot_timestamp: at(0) });
    await send(before);
    const batch = [
      before,
      ...Array.from({ length: 90 }, (_, minute) => of(first, { snapshot_timestamp: at(minute) })),
      ...Array.from({ length: 3 }, () => of(second, { snapshot_timestamp: at(1), cpu_request_millis: 250 })),
    ];
    const repeat = of(second, { snapshot_timestamp: at(2), cpu_request_millis: 250 });
    let statements = 0;
    const counting = database.db.withPlugin({
      transformQuery: ({ node }) => ((statements += 1), node),
      transformResult: async ({ result }) => result,
    });
    const store = postgresClusterStore(counting);
    expect(await store.takeSnapshots(clusterId, [...batch, repeat, { ...repeat }], new Date())).toBe(94);
    expect(statements).toBe(1);
    const totals = await sql<{ day: string; minutes: number; cpu: number; memory: number }>`
      select to_char(day, 'YYYY-MM-DD') as day, pod_minutes as minutes, cpu_millis_minutes::float as cpu,
        memory_byte_minutes::float as memory
      from usage_totals where service_id in (${first.service.id}, ${second.service.id})
      order by cpu, day`.execute(database.db);
    expect(totals.rows).toEqual([
      { day: "2026-11-29", minutes: 4, cpu: 1_000, memory: 4 * 2 ** 30 },
      { day: "2026-11-30", minutes: 30, cpu: 15_000, memory: 30 * 2 ** 30 },
      { day: "2026-11-29", minutes: 61, cpu: 30_500, memory: 61 * 2 ** 30 },
    ]);
  });
});
