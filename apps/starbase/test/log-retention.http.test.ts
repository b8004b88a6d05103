import * as logs from "@starform/contract/logs";
import { logDays, type Plan } from "@starform/contract/plans";
import {
  telemetryCanRun,
  telemetryProcess,
  type TelemetryProcess,
} from "@starform/testkit/telemetry-process";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clickhouseLogStore, type ClickhouseLogStore } from "../src/adapters/clickhouse/log-store.ts";
import { openDatabase, type Database } from "../src/adapters/postgres/database.ts";
import { postgresStores } from "../src/adapters/postgres/stores.ts";
import { expireLogs } from "../src/core/telemetry/log-retention.ts";
import { aProject, openApiWorld, type ApiWorld } from "./api-world.ts";

const canRun = process.env.CI ? true : telemetryCanRun();
const dayMs = 86_400_000;

describe.skipIf(!canRun)("log lines", { timeout: 90_000 }, () => {
  let world: ApiWorld;
  let telemetry: TelemetryProcess;
  let store: ClickhouseLogStore;
  let database: Database;
  let made: Awaited<ReturnType<typeof aProject>>;
  beforeAll(async () => {
    telemetry = await telemetryProcess();
    world = await openApiWorld({
      settings: {
        STARBASE_CLICKHOUSE_URL: telemetry.url,
        STARBASE_CLICKHOUSE_USER: telemetry.user,
        STARBASE_CLICKHOUSE_PASSWORD: telemetry.password,
      },
    });
    database = openDatabase({ url: world.config.database.url, poolMax: 2, onError: () => undefined });
    store = clickhouseLogStore(telemetry);
    await store.ensureSchema();
    made = await aProject(world);
  }, 90_000);
  afterAll(async () => {
    await store?.[Symbol.asyncDispose]();
    await database?.[Symbol.asyncDispose]();
    await world?.[Symbol.asyncDispose]();
    await telemetry?.[Symbol.asyncDispose]();
  }, 60_000);

  const setPlan = (plan: Plan) =>
    sql`update workspaces set plan = ${plan} where id = ${made.project.workspaceId}`.execute(database.db);
  const read = async () =>
    (await world.owner(logs.searchLogs, { params: made.ref, query: { since: "1970-01-01T00:00:00Z" } })).items
      .map(({ message }) => message)
      .sort();
  /** What lies in the table, whoever may read it. */
  const kept = async () =>
    (
      await store.last(
        {
          workspaceId: made.project.workspaceId,
          projectId: made.project.id,
          environment: "production",
          serviceIds: [made.service.id],
          keptSince: new Date(0),
        },
        {},
        100,
      )
    ).length;

  test("are read as far back as the workspace's plan keeps them, and deleted beyond that", async () => {
    const ages = [1, 6, 8, 29, 31, 80];
    await store.append(
      ages.map((days, seq) => ({
        tsMs: Date.now() - days * dayMs,
        workspaceId: made.project.workspaceId,
        projectId: made.project.id,
        environment: "production",
        serviceId: made.service.id,
        level: "info" as const,
        stream: "stdout" as const,
        message: `${days} days old`,
        seq,
      })),
    );
    const expire = () =>
      expireLogs({ stores: postgresStores(database.db), logs: store, clock: { now: () => new Date() } })(
        new AbortController().signal,
      );
    for (const plan of ["scale", "pro", "hobby", "trial"] as const) {
      await setPlan(plan);
      const expected = ages.filter((days) => days < logDays[plan]);
      expect(await read()).toEqual(expected.map((days) => `${days} days old`).sort());
      expect(await kept()).toBeGreaterThanOrEqual(expected.length);
      await expire();
      expect(await kept()).toBe(expected.length);
    }
  });
});
