import { until } from "@starform/std/retry";
import { openTestDatabase } from "@starform/testkit/postgres";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { openDatabase, type Database } from "../src/adapters/postgres/database.ts";
import { postgresJobQueue } from "../src/adapters/postgres/job-queue.ts";
import { openJobRunner } from "../src/adapters/postgres/job-runner.ts";
import { migrate } from "../src/adapters/postgres/migrate.ts";
import { postgresQueueDepth } from "../src/adapters/postgres/queue-depth.ts";
import { workerMetrics } from "../src/core/telemetry/worker-metrics.ts";
import { CannotHeal, handle, job } from "../src/ports/job-queue.ts";
import { freePort } from "@starform/testkit/docker-registry";
import { openWorkerHttp } from "../src/wiring/worker-http.ts";

const logger = pino({ level: "silent" });
const greet = job({ name: "greet", payload: z.object({ who: z.string() }), attemptsMax: 25 });

let stack: AsyncDisposableStack;
let url: string;
let database: Database;
beforeAll(async () => {
  stack = new AsyncDisposableStack();
  url = stack.use(await openTestDatabase()).url;
  await migrate(url);
  database = stack.use(openDatabase({ url, poolMax: 4, onError: () => undefined }));
});
afterAll(() => stack.disposeAsync());

/** The samples that `/metrics` shows, by what stands before their value. */
async function scraped(port: number): Promise<Map<string, number>> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.split(" ").at(-1))]));
}

test("a Worker shows what waits, how jobs ended and how long they took", async () => {
  const queue = postgresJobQueue(database.db);
  const metrics = workerMetrics(["greet", "sweep"]);
  const depth = postgresQueueDepth(database.db);
  const port = await freePort();
  stack.use(await openWorkerHttp({ host: "127.0.0.1", port }, { metrics, depth }));
  await queue.enqueue(greet, { who: "well" });
  await queue.enqueue(greet, { who: "hopeless" });
  await queue.enqueue(greet, { who: "unlucky" });
  await queue.enqueue(greet, { who: "later" }, { runAt: new Date(Date.now() + 3_600_000) });
  const before = await scraped(port);
  expect(before.get('starform_jobs{job="greet",state="waiting"}')).toBe(3);
  expect(before.get('starform_jobs{job="greet",state="scheduled"}')).toBe(1);
  expect(before.get('starform_jobs_total{job="sweep",outcome="given_up"}')).toBe(0);
  expect(before.get("starform_builds_waiting")).toBe(0);

  const handler = handle(greet, async ({ who }) => {
    if (who === "hopeless") throw new CannotHeal("never");
    if (who === "unlucky") throw new Error("not this time");
  });
  const runs = { url, handlers: [handler], concurrency: 1, logger, graceMs: 0, onEnd: metrics.ended };
  const sweep = { name: "sweep", schedule: "* * * * *", run: async () => undefined };
  stack.use(await openJobRunner({ ...runs, crons: [sweep] }));
  const after = await until("all three have run", async () => {
    const seen = await scraped(port);
    return (seen.get('starform_job_duration_seconds_count{job="greet"}') ?? 0) >= 3 && seen;
  });
  const outcomes = ["succeeded", "given_up", "retried", "returned", "lost"] as const;
  const ended = outcomes.map((outcome) => after.get(`starform_jobs_total{job="greet",outcome="${outcome}"}`));
  const [, , retried] = ended;
  expect(ended).toEqual([1, 1, retried, 0, 0]);
  expect(retried).toBeGreaterThan(0);
  expect(after.get('starform_job_duration_seconds_bucket{job="greet",le="+Inf"}')).toBe(2 + retried!);
  await until("the one that never can is shown as such", async () => {
    const seen = await scraped(port);
    return seen.get('starform_jobs{job="greet",state="given_up"}') === 1;
  });
});

test("a Worker whose database is away shows what it did itself, and no depth", async () => {
  const port = await freePort();
  const depth = () => Promise.reject(new Error("away"));
  await using _http = await openWorkerHttp(
    { host: "127.0.0.1", port },
    { metrics: workerMetrics(["greet"]), depth },
  );
  const names = [...(await scraped(port)).keys()];
  expect(names).toContain('starform_jobs_total{job="greet",outcome="succeeded"}');
  expect(names.filter((name) => /^starform_(jobs\{|builds)/.test(name))).toEqual([]);
  expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
  expect((await fetch(`http://127.0.0.1:${port}/else`)).status).toBe(404);
});
