import { spawnSync } from "node:child_process";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { ClickHouseLogLevel, createClient, type ClickHouseClient } from "@clickhouse/client";
import {
  telemetryCanRun,
  telemetryProcess,
  type TelemetryProcess,
} from "@starform/testkit/telemetry-process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const canRun = process.env.CI ? true : telemetryCanRun();

describe.skipIf(!canRun)(
  "the telemetry process under the unmodified ClickHouse client",
  { timeout: 60_000 },
  () => {
    let telemetry: TelemetryProcess;
    let client: ClickHouseClient;
    beforeAll(async () => {
      telemetry = await telemetryProcess();
      client = createClient({
        log: { level: ClickHouseLogLevel.OFF },
        url: telemetry.url,
        username: telemetry.user,
        password: telemetry.password,
      });
      await client.command({ query: "CREATE DATABASE IF NOT EXISTS shop" });
      await client.command({
        query:
          "CREATE TABLE shop.lines (n UInt64, words String) ENGINE = MergeTree ORDER BY n SETTINGS non_replicated_deduplication_window = 100",
      });
    }, 60_000);
    afterAll(async () => {
      await client?.close();
      await telemetry?.[Symbol.asyncDispose]();
    }, 60_000);

    const read = async (
      query: string,
      query_params?: Record<string, unknown>,
      settings?: Record<string, string | number>,
    ) =>
      (
        await client.query({
          query,
          format: "JSONEachRow",
          ...(query_params ? { query_params } : {}),
          ...(settings ? { clickhouse_settings: settings } : {}),
        })
      ).json<Record<string, unknown>>();

    test("answers ping in both of its forms", async () => {
      expect(await client.ping()).toEqual({ success: true });
      expect(await client.ping({ select: true })).toEqual({ success: true });
    });

    test("gives back every character that a parameter can hold, and runs none of it", async () => {
      const words = "it's a \"quoted\" \\ back\tslash\nline \r {n:UInt8} -- ` \u{1F680} ') OR 1=1 --";
      const [row] = await read(
        "SELECT {words:String} AS words, '{words:String}' AS plain, {list:Array(String)} AS list, {n:UInt32} AS n, {none:Nullable(String)} AS none",
        {
          words,
          list: [words, "b"],
          n: 7,
          none: null,
        },
      );
      expect(row).toEqual({ words, plain: "{words:String}", list: [words, "b"], n: 7, none: null });
    });

    test("names the parameter that is missing", async () => {
      await expect(read("SELECT {words:String}")).rejects.toMatchObject({
        code: "456",
        message: expect.stringContaining("words"),
      });
    });

    test("inserts arrays, object streams and statements with their settings, once for one token", async () => {
      const insert = (values: unknown[] | Readable, token: string) =>
        client.insert({
          table: "shop.lines",
          values: values as unknown[],
          format: "JSONEachRow",
          clickhouse_settings: { insert_deduplication_token: token },
        });
      const summary = await insert(
        [
          { n: 1, words: "one" },
          { n: 2, words: "it's\n\ttwo" },
        ],
        "a",
      );
      await insert(
        [
          { n: 1, words: "one" },
          { n: 2, words: "it's\n\ttwo" },
        ],
        "a",
      );
      await insert(Readable.from([{ n: 3, words: "three" }], { objectMode: true }), "b");
      await client.command({
        query: "INSERT INTO lines (n, words) VALUES (4, 'four')",
        clickhouse_settings: { max_threads: 1 },
        http_headers: { "X-ClickHouse-Database": "shop" },
      });
      expect(summary.summary?.written_rows).toBe("2");
      expect(
        await read(
          "SELECT n, words FROM shop.lines ORDER BY n",
          {},
          { output_format_json_quote_64bit_integers: 0 },
        ),
      ).toEqual([
        { n: 1, words: "one" },
        { n: 2, words: "it's\n\ttwo" },
        { n: 3, words: "three" },
        { n: 4, words: "four" },
      ]);
    });

    test("reports an error with the engine's number and words", async () => {
      await expect(read("SELECT * FROM shop.nowhere")).rejects.toMatchObject({
        code: "60",
        type: "UNKNOWN_TABLE",
      });
      await expect(
        client.insert({ table: "shop.lines", values: [{ n: "x" }], format: "JSONEachRow" }),
      ).rejects.toMatchObject({ code: "27" });
      await expect(read("SELECT throwIf(number = 3) FROM numbers(10)")).rejects.toMatchObject({
        code: "395",
      });
    });

    test("streams a large answer, packed or not", async () => {
      const packed = createClient({
        log: { level: ClickHouseLogLevel.OFF },
        url: telemetry.url,
        username: "x",
        password: telemetry.password,
        compression: { response: true, request: true },
      });
      await packed.insert({
        table: "shop.lines",
        values: [{ n: 9, words: "packed" }],
        format: "JSONEachRow",
      });
      for (const one of [client, packed]) {
        const rows = (
          await one.query({
            query: "SELECT number, repeat('x', 100) AS pad FROM numbers(150000)",
            format: "JSONEachRow",
          })
        ).stream();
        let count = 0;
        for await (const batch of rows) count += batch.length;
        expect(count).toBe(150_000);
      }
      await packed.close();
    });

    test("a reader that goes away, early or in the middle, gives its place back", async () => {
      const body =
        "SELECT number, sleepEachRow(0.0001), repeat('x', 1000) FROM numbers(100000) FORMAT JSONEachRow";
      const leave = async (afterMs: number | undefined): Promise<void> => {
        const left = new AbortController();
        if (afterMs !== undefined) setTimeout(() => left.abort(), afterMs);
        const response = await fetch(telemetry.url, {
          method: "POST",
          body,
          signal: left.signal,
          headers: { "x-clickhouse-key": telemetry.password },
        });
        await response.body?.getReader().read();
        left.abort();
      };
      await Promise.allSettled(Array.from({ length: 20 }, (_, n) => leave(n % 2 ? undefined : 5)));
      const answers = await Promise.all(Array.from({ length: 16 }, () => read("SELECT 1 AS one")));
      expect(answers).toHaveLength(16);
    });

    test("lets statements run side by side without seeing each other's parameters", async () => {
      const answers = await Promise.all(
        Array.from({ length: 40 }, (_, n) => read("SELECT {n:UInt32} AS n", { n })),
      );
      expect(answers.map(([row]) => row?.n)).toEqual(Array.from({ length: 40 }, (_, n) => n));
    });

    test("opens to the right password only, in each of the three ways, and lets GET read only", async () => {
      const status = async (path: string, init?: RequestInit) =>
        (await fetch(`${telemetry.url}${path}`, init)).status;
      expect(await status("/?query=SELECT+1")).toBe(401);
      expect(await status("/?query=SELECT+1&user=a&password=wrong-one")).toBe(401);
      expect(await status(`/?query=SELECT+1&user=a&password=${telemetry.password}`)).toBe(200);
      const headers = { "x-clickhouse-user": "a", "x-clickhouse-key": telemetry.password };
      expect(await status("/?query=SELECT+1", { headers })).toBe(200);
      expect(await status("/?query=DROP+TABLE+shop.lines", { headers })).toBe(403);
      expect(
        await status("/?query=INSERT+INTO+shop.lines+FORMAT+JSONEachRow", {
          method: "POST",
          headers,
          body: "x".repeat(65 << 20),
        }),
      ).toBe(413);
    });

    test("refuses a second process on the same data with one sentence", () => {
      const second = spawnSync(
        process.execPath,
        [fileURLToPath(new URL("../bin/telemetry.ts", import.meta.url))],
        {
          env: { PATH: process.env.PATH, TELEMETRY_PORT: "0", TELEMETRY_DATA_DIR: telemetry.dataDir },
          encoding: "utf8",
        },
      );
      expect(second.status).toBe(1);
      expect(second.stderr).toContain("another process holds it");
    });

    test("has every acknowledged row after it was killed in the middle of inserts", async () => {
      let acknowledged = 0;
      const writer = (async () => {
        for (let n = 1_000; ; n++) {
          await client.insert({ table: "shop.lines", values: [{ n, words: "kept" }], format: "JSONEachRow" });
          acknowledged = n - 999;
        }
      })().catch(() => undefined);
      await expect.poll(() => acknowledged, { timeout: 15_000 }).toBeGreaterThan(20);
      await telemetry.crash();
      await writer;
      await telemetry.start();
      const [row] = await read(
        "SELECT count() AS rows FROM shop.lines WHERE words = 'kept'",
        {},
        { output_format_json_quote_64bit_integers: 0 },
      );
      expect(Number(row?.rows)).toBeGreaterThanOrEqual(acknowledged);
    });
  },
);
