import type { Engine } from "../engine.ts";
import { parseSamples } from "./parse-samples.ts";

/** Takes metrics into the engine. */
export type SampleTable = {
  /** Resolves to the number of samples taken from Prometheus' text. */
  take(text: string, nowMs: number): Promise<number>;
};

const work = { database: undefined };
/** A month is what the dashboard looks back; a service costs some ten megabytes of it. */
const statements = [
  "CREATE DATABASE IF NOT EXISTS metrics",
  `CREATE TABLE IF NOT EXISTS metrics.samples (
    name LowCardinality(String),
    project String,
    environment LowCardinality(String),
    service String,
    series LowCardinality(String),
    part LowCardinality(String),
    ts DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    value Float64 CODEC(Gorilla, ZSTD(1))
  ) ENGINE = MergeTree
  PARTITION BY toMonday(ts)
  ORDER BY (project, service, environment, name, series, ts)
  TTL toDateTime(ts) + INTERVAL 30 DAY`,
];

/** The table of samples, made if it is not there. */
export async function openSampleTable(engine: Engine): Promise<SampleTable> {
  for (const statement of statements) await engine.run(statement, "Null", work);
  return {
    async take(text, nowMs) {
      const samples = parseSamples(text, nowMs);
      if (samples.length === 0) return 0;
      // A bare number is taken as milliseconds, the unit of the column.
      const rows = samples.map(({ tsMs, ...sample }) => JSON.stringify({ ...sample, ts: Math.round(tsMs) }));
      const into = {
        table: "metrics.samples",
        columns: undefined,
        format: "JSONEachRow",
        settings: {},
      } as const;
      await engine.insert(into, Buffer.from(`${rows.join("\n")}\n`), work);
      return samples.length;
    },
  };
}
