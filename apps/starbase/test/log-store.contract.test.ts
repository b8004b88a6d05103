import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openLogShipper } from "@starform/log-shipper/log-shipper";
import {
  telemetryCanRun,
  telemetryProcess,
  type TelemetryProcess,
} from "@starform/testkit/telemetry-process";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clickhouseLogStore, type ClickhouseLogStore } from "../src/adapters/clickhouse/log-store.ts";
import type { LogEntry, LogFilter, LogLine, LogScope } from "../src/ports/log-store.ts";

const canRun = process.env.CI ? true : telemetryCanRun();
const startMs = Date.now() - 60_000;

let count = 0;
const aLine = (line: Partial<LogLine> = {}): LogLine => ({
  tsMs: startMs + count,
  workspaceId: "w1",
  projectId: "p1",
  environment: "production",
  serviceId: "web",
  level: "info",
  stream: "stdout",
  message: `line ${count}`,
  seq: count++,
  ...line,
});
const scopeOf = (line: Partial<LogScope & { serviceId: string }> = {}): LogScope => ({
  workspaceId: "w1",
  projectId: "p1",
  environment: "production",
  serviceIds: ["web"],
  keptSince: new Date(0),
  ...line,
});
const messages = (entries: readonly (LogEntry | LogLine)[]): string[] =>
  entries.map((entry) => entry.message);

describe.skipIf(!canRun)("the log store on the telemetry process", { timeout: 90_000 }, () => {
  let telemetry: TelemetryProcess;
  let store: ClickhouseLogStore;
  beforeAll(async () => {
    telemetry = await telemetryProcess();
    store = clickhouseLogStore(telemetry);
    await Promise.all([store.ensureSchema(), store.ensureSchema()]);
  }, 90_000);
  afterAll(async () => {
    await store?.[Symbol.asyncDispose]();
    await telemetry?.[Symbol.asyncDispose]();
  }, 60_000);

  test("pages lead from the newest line to the oldest, each line once, though many have one time", async () => {
    const lines = Array.from({ length: 120 }, (_, n) =>
      aLine({
        projectId: "pages",
        serviceId: n % 3 ? "web" : "api",
        tsMs: startMs + Math.floor(n / 50),
        seq: n % 7,
      }),
    );
    await store.append(lines);
    const scope = scopeOf({ projectId: "pages", serviceIds: ["web", "api"] });
    const pages: LogEntry[][] = [];
    for (let cursor: string | undefined, more = true; more;) {
      const page = await store.search(scope, {}, { limit: 25, ...(cursor ? { cursor } : {}) });
      pages.unshift(page.entries);
      cursor = page.nextCursor;
      more = cursor !== undefined;
    }
    const all = pages.flat();
    expect(messages(all).toSorted()).toEqual(messages(lines).toSorted());
    expect(all.map((entry) => [entry.ts.getTime(), entry.seq])).toEqual(
      lines.map((line) => [line.tsMs, line.seq]).toSorted((a, b) => a[0]! - b[0]! || a[1]! - b[1]!),
    );
    const newest = await store.last(scope, {}, 25);
    expect(newest).toHaveLength(25);
    expect(messages(pages.at(-1)!)).toEqual(expect.arrayContaining(messages(newest)));
    await expect(store.search(scope, {}, { limit: 5, cursor: "') OR 1=1 --" })).rejects.toMatchObject({
      code: "malformed",
    });
  });

  test("gives back a line as it was written", async () => {
    const line = aLine({
      projectId: "whole",
      message: 'it\'s \\ "quoted"\n\ttabs \0 nul 🚀',
      level: "error",
      stream: "stderr",
      instanceId: "i1",
      deploymentId: "d1",
      buildId: "b1",
      attributes: { status: 500, path: "/x?y='z'" },
    });
    await store.append([line]);
    const { tsMs, workspaceId: _w, projectId: _p, environment: _e, ...rest } = line;
    expect(await store.last(scopeOf({ projectId: "whole" }), {}, 10)).toEqual([
      { ...rest, ts: new Date(tsMs) },
    ]);
  });

  test("no filter, whatever its text, shows a line of another tenant or hides one that matches", async () => {
    const words = [
      "Payment FAILED for 'bob'",
      "100% done_1",
      "GET /orders?id={x:String}",
      "back\\slash",
      "Über Straße",
      "') OR 1=1 --",
    ];
    const own = words.map((message, n) =>
      aLine({
        projectId: "own",
        message,
        level: n % 2 ? "error" : "info",
        stream: n % 3 ? "stdout" : "stderr",
        deploymentId: `d${n % 2}`,
        buildId: `b${n % 3}`,
      }),
    );
    const others = [
      { workspaceId: "w2" },
      { projectId: "other" },
      { environment: "staging" },
      { serviceId: "api" },
    ].flatMap((difference) =>
      own.map((line) => ({ ...line, ...difference, message: `${line.message} secret` })),
    );
    await store.append([...own, ...others]);
    const text = fc.oneof(
      fc.constantFrom(
        "failed for",
        "PAYMENT",
        "100%",
        "%",
        "_",
        "\\",
        "'",
        "') OR 1=1 --",
        "{x:String}",
        "STRASSE",
        "über",
        "secret",
        "done_1",
        "doneX1",
        "orders?id",
      ),
      fc.string({ maxLength: 12 }),
      fc.mixedCase(fc.constantFrom(...words)),
    );
    const id = fc.oneof(fc.constantFrom("d0", "d1", "b0", "b1", "d0' OR '1'='1", "\\N", ""), fc.string());
    const time = fc.integer({ min: own[0]!.tsMs - 2, max: own.at(-1)!.tsMs + 2 }).map((ms) => new Date(ms));
    const filter = fc.record(
      {
        text,
        deploymentId: id,
        buildId: id,
        since: time,
        until: time,
        levels: fc.subarray(["debug", "info", "error"] as const),
        streams: fc.subarray(["stdout", "stderr"] as const),
      },
      { requiredKeys: [] },
    );
    const expected = (f: LogFilter) =>
      own.filter(
        (line) =>
          (f.text === undefined || line.message.toLowerCase().includes(f.text.toLowerCase())) &&
          (!f.levels || f.levels.includes(line.level)) &&
          (!f.streams || f.streams.includes(line.stream)) &&
          (!f.since || line.tsMs >= f.since.getTime()) &&
          (!f.until || line.tsMs < f.until.getTime()) &&
          (f.deploymentId === undefined || line.deploymentId === f.deploymentId) &&
          (f.buildId === undefined || line.buildId === f.buildId),
      );
    await fc.assert(
      fc.asyncProperty(filter, async (f) => {
        expect(messages(await store.last(scopeOf({ projectId: "own" }), f, 100))).toEqual(
          messages(expected(f)),
        );
      }),
      {
        numRuns: 100,
        seed: 20_26,
        examples: [
          [{ text: "') OR 1=1 --" }],
          [{ text: "payment failed" }],
          [{ deploymentId: "d0' OR '1'='1" }],
        ],
      },
    );
    expect(await store.last(scopeOf({ projectId: "own", serviceIds: [] }), {}, 100)).toEqual([]);
    expect(await store.last(scopeOf({ projectId: "own", serviceIds: ["web') OR (1=1"] }), {}, 100)).toEqual(
      [],
    );
  });

  test.each([
    ["by itself", { quietMs: 3_600_000 }],
    ["with all others, as after some quiet", { quietMs: 0 }],
  ])(
    "a tail that waits %s shows the backlog and then each line once, a late one and a crash of the store included",
    async (_, { quietMs }) => {
      const projectId = `tail-${quietMs}`;
      const scope = scopeOf({ projectId });
      await using store = clickhouseLogStore({ ...telemetry, quietMs });
      const bufferDir = await mkdtemp(join(tmpdir(), "starform-tail-"));
      const ended = new AbortController();
      const seen: string[] = [];
      try {
        await store.append([aLine({ projectId, message: "old" }), aLine({ projectId, message: "newer" })]);
        const tailing = (async () => {
          for await (const batch of store.tail(scope, { backlog: 1 }, ended.signal))
            seen.push(...messages(batch));
        })();
        await expect.poll(() => seen, { timeout: 15_000 }).toEqual(["newer"]);

        await using shipper = openLogShipper({ ...telemetry, bufferDir });
        const ship = (from: number, to: number) => {
          for (let n = from; n < to; n++)
            shipper.ship(aLine({ projectId, message: `m${n}`, tsMs: Date.now() }));
        };
        ship(0, 200);
        await expect.poll(() => seen.length, { timeout: 15_000 }).toBe(201);
        await insertedAt(telemetry, aLine({ projectId, message: "late" }), Date.now() - 3_000);
        await expect.poll(() => seen, { timeout: 15_000 }).toContain("late");

        await telemetry.crash();
        ship(200, 400);
        await shipper.flush();
        await telemetry.start();
        ship(400, 500);
        await expect.poll(() => seen.length, { timeout: 30_000 }).toBeGreaterThanOrEqual(502);
        ended.abort();
        await tailing;
        const numbered = Array.from({ length: 500 }, (_, n) => `m${n}`);
        expect(seen.toSorted()).toEqual(["newer", "late", ...numbered].toSorted());
        expect(messages(await store.last(scope, { text: "m" }, 1_000)).toSorted()).toEqual(
          numbered.toSorted(),
        );
      } finally {
        ended.abort();
        await rm(bufferDir, { recursive: true, force: true });
      }
    },
  );

  test("of many tails that wait together each shows its own lines", async () => {
    await using store = clickhouseLogStore({ ...telemetry, quietMs: 0 });
    const ended = new AbortController();
    const seen = new Map<string, string[]>();
    const ids = Array.from({ length: 20 }, (_, n) => `together-${n}`);
    const tails = ids.map(async (projectId, n) => {
      const serviceIds = n % 2 === 0 ? ["web"] : ["web", "api"];
      for await (const batch of store.tail(scopeOf({ projectId, serviceIds }), { backlog: 1 }, ended.signal))
        seen.set(projectId, [...(seen.get(projectId) ?? []), ...messages(batch)]);
    });
    await store.append(ids.map((projectId) => aLine({ projectId, message: "first" })));
    await expect.poll(() => seen.size, { timeout: 15_000 }).toBe(20);
    const lines = ids.flatMap((projectId) =>
      ["web", "api"].map((serviceId) =>
        aLine({ projectId, serviceId, message: `${serviceId} of ${projectId}` }),
      ),
    );
    await store.append(lines);
    const all = () => [...seen.values()].flat().length;
    await expect.poll(all, { timeout: 15_000 }).toBe(20 + 20 + 10);
    ended.abort();
    await Promise.all(tails);
    for (const [n, id] of ids.entries())
      expect(seen.get(id)?.toSorted()).toEqual(
        [...(n % 2 === 0 ? [] : [`api of ${id}`]), "first", `web of ${id}`].toSorted(),
      );
  });

  test("no read finds a line that is past its time, whatever it asks for", async () => {
    const projectId = "floor";
    const lines = [1, 2, 3, 4].map((n) => aLine({ projectId, message: `kept ${n}` }));
    await store.append(lines);
    const keptSince = new Date(lines[2]!.tsMs);
    const scope = scopeOf({ projectId, keptSince });
    const kept = ["kept 3", "kept 4"];
    expect(messages(await store.last(scope, {}, 10))).toEqual(kept);
    expect(messages(await store.last(scope, { since: new Date(0), text: "kept" }, 10))).toEqual(kept);
    expect(messages((await store.search(scope, {}, { limit: 10 })).entries)).toEqual(kept);
    const first = await store.search(scope, {}, { limit: 1 });
    const second = await store.search(scope, {}, { limit: 5, cursor: first.nextCursor! });
    expect([messages(second.entries), second.nextCursor]).toEqual([["kept 3"], undefined]);
    const ended = new AbortController();
    const tail = store.tail(scope, { backlog: 10 }, ended.signal)[Symbol.asyncIterator]();
    expect(messages((await tail.next()).value as LogEntry[])).toEqual(kept);
    ended.abort();
    await tail.return?.();
  });

  test("what is past the time of some workspaces is deleted, and no one else's", async () => {
    const projectId = "expired";
    const [w1, w2, w3] = ["w-1", "w-2", "w-3"] as const;
    const lines = [w1, w2, w3].flatMap((workspaceId) => [
      aLine({ workspaceId, projectId, message: "old", tsMs: startMs - 20 * 86_400_000 }),
      aLine({ workspaceId, projectId, message: "new" }),
    ]);
    await store.append(lines);
    await store.deleteBefore([w1, w2], new Date(startMs - 7 * 86_400_000));
    const of = async (workspaceId: string) =>
      messages(await store.last(scopeOf({ workspaceId, projectId }), {}, 10));
    expect([await of(w1), await of(w2), await of(w3)]).toEqual([["new"], ["new"], ["old", "new"]]);
    await store.deleteBefore([w1, w2], new Date(startMs - 7 * 86_400_000));
    expect(await of(w1)).toEqual(["new"]);
  });

  test("a deleted project's lines are gone, and no one else's", async () => {
    await store.append([
      aLine({ projectId: "gone" }),
      aLine({ projectId: "gone", environment: "staging" }),
      aLine({ projectId: "stays" }),
      aLine({ projectId: "gone", workspaceId: "w2" }),
    ]);
    await store.deleteProject("w1", "gone");
    expect(await store.last(scopeOf({ projectId: "gone" }), {}, 10)).toEqual([]);
    expect(await store.last(scopeOf({ projectId: "gone", environment: "staging" }), {}, 10)).toEqual([]);
    expect(await store.last(scopeOf({ projectId: "stays" }), {}, 10)).toHaveLength(1);
    expect(await store.last(scopeOf({ projectId: "gone", workspaceId: "w2" }), {}, 10)).toHaveLength(1);
  });

  test("says in a sentence when the store is away, and refuses tables of a newer Starform", async () => {
    await using away = clickhouseLogStore({ ...telemetry, url: "http://127.0.0.1:9" });
    await expect(away.last(scopeOf(), {}, 1)).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("Try again"),
    });
    await sql(telemetry, "INSERT INTO logs.schema_steps (step) VALUES (999)");
    await expect(store.ensureSchema()).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining("newer version"),
    });
  });
});

async function sql({ url, user, password }: TelemetryProcess, query: string): Promise<void> {
  const response = await fetch(url, {
    method: "POST",
    body: query,
    headers: { "x-clickhouse-user": user, "x-clickhouse-key": password },
  });
  if (!response.ok) throw new Error(await response.text());
}

/** A row whose insert began then and is seen only now. */
const insertedAt = (telemetry: TelemetryProcess, line: LogLine, ms: number): Promise<void> =>
  sql(
    telemetry,
    `INSERT INTO logs.customer_logs (workspace_id, project_id, environment, service_id, ts, level, stream, message, seq, ingested_at)
     SELECT '${line.workspaceId}', '${line.projectId}', '${line.environment}', '${line.serviceId}', fromUnixTimestamp64Milli(${line.tsMs}), 'info', 'stdout', '${line.message}', ${line.seq}, fromUnixTimestamp64Milli(${ms})`,
  );
