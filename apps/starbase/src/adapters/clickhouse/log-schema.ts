import type { ClickHouseClient } from "@clickhouse/client";
import { Fault } from "@starform/std/fault";

/**
 * The tables, step by step: a step never changes once it is released, and each can run twice (two processes start at
 * once). What is measured here is from chDB 26.7 on two busy cores; the whole reasoning is in docs/adr/0004-log-table.md.
 */
const steps: readonly (readonly string[])[] = [
  [
    // Partitions by day alone. By (project, day), inserts of 10,000 lines took 71 ms for 1 project, 99 for 20, 357 for
    // 90, and were refused over 100 (one part per project and insert); by day 73, 74, 88 and 73 ms for 500 projects.
    // The key begins with the tenant, so that one service's lines lie together: its last 100 of 1M are 12 ms away.
    // `seq` ends the key, or the newest lines could not be read in the key's order (95 ms).
    // The 4-gram filter lets a search skip what cannot hold its text: 15 ms instead of 300 in 750,000 lines of one
    // service, for a quarter more disk; a token filter (17 ms) only finds whole words.
    // `ingested_at` is what a tail follows; its minmax keeps old granules out of that.
    `CREATE TABLE IF NOT EXISTS logs.customer_logs (
      project_id String,
      environment LowCardinality(String),
      service_id String,
      ts DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
      level LowCardinality(String),
      message String CODEC(ZSTD(1)),
      workspace_id LowCardinality(String),
      deployment_id LowCardinality(String),
      build_id LowCardinality(String),
      instance_id LowCardinality(String),
      stream LowCardinality(String),
      seq UInt64 CODEC(Delta, ZSTD(1)),
      attributes String CODEC(ZSTD(1)),
      ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)),
      INDEX ingested_at_range ingested_at TYPE minmax GRANULARITY 1,
      INDEX message_grams lower(message) TYPE ngrambf_v1(4, 65536, 2, 0) GRANULARITY 1
    ) ENGINE = MergeTree
    PARTITION BY toDate(ts)
    ORDER BY (project_id, environment, service_id, ts, seq)
    TTL toDateTime(ts) + INTERVAL 90 DAY
    SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000`,
  ],
];

/** Brings the tables to this version of Starform; rejects with Fault `conflict` when they are from a newer one. */
export async function ensureLogSchema(client: ClickHouseClient): Promise<void> {
  await client.command({ query: "CREATE DATABASE IF NOT EXISTS logs" });
  await client.command({
    query:
      "CREATE TABLE IF NOT EXISTS logs.schema_steps (step UInt32, applied_at DateTime64(3, 'UTC') DEFAULT now64(3)) ENGINE = MergeTree ORDER BY step",
  });
  const answer = await client.query({
    query: "SELECT max(step) AS step FROM logs.schema_steps",
    format: "JSONEachRow",
  });
  const [row] = await answer.json<{ step: number }>();
  const done = Number(row?.step ?? 0);
  if (done > steps.length)
    throw new Fault(
      "conflict",
      `the log store is at schema ${done} and this Starform knows ${steps.length}: it was used by a newer version. Run that version, or give another data directory.`,
    );
  for (const [index, statements] of steps.entries()) {
    if (index < done) continue;
    for (const query of statements) await client.command({ query });
    await client.insert({ table: "logs.schema_steps", values: [{ step: index + 1 }], format: "JSONEachRow" });
  }
}
