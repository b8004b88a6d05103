import { ClickHouseError, ClickHouseLogLevel, createClient } from "@clickhouse/client";
import { Fault } from "@starform/std/fault";
import type { MetricQuery, MetricScope, MetricStore } from "../../ports/metric-store.ts";
import { refuseWrongSpan } from "../victoriametrics/metric-span.ts";
import { pointsOf, questions, type Question, type Step } from "./metric-questions.ts";

type Row = { readonly step: number; readonly part: string; readonly value: number };

/** Metrics out of the table of samples that the embedded telemetry process keeps; for where there is no VictoriaMetrics. */
export function clickhouseMetricStore(options: {
  url: string;
  user: string;
  password: string;
}): MetricStore & AsyncDisposable {
  const { url, user: username, password } = options;
  const client = createClient({
    url,
    username,
    password,
    application: "starform",
    request_timeout: 10_000,
    keep_alive: { idle_socket_ttl: 5_000 },
    log: { level: ClickHouseLogLevel.OFF },
  });
  const ask = async (scope: MetricScope, asked: MetricQuery, question: Question): Promise<Step[]> => {
    const stepMs = Math.round(asked.stepSeconds * 1_000);
    const startMs = asked.from.getTime();
    const answer = await client
      .query({
        query: question.of === "rate" ? ratesQuery : valuesQuery,
        format: "JSONEachRow",
        clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
        query_params: {
          names: question.names,
          project: hexOf(scope.projectId),
          environment: scope.environment,
          services: scope.serviceIds.map(hexOf),
          start: startMs,
          end: asked.to.getTime(),
          step: stepMs,
          // Below a minute a rate over a scrape of ten seconds is mostly noise.
          window: Math.max(60_000, stepMs),
        },
      })
      .then((result) => result.json<Row>())
      .catch(refuse);
    const steps = new Map<number, Map<string, number>>();
    for (const { step, part, value } of answer) {
      const parts = steps.get(step) ?? new Map<string, number>();
      steps.set(step, parts.set(part, value));
    }
    return [...steps].map(([step, parts]) => ({ ts: startMs + step * stepMs, parts }));
  };

  return {
    whyNone: undefined,
    async series(scope, query) {
      refuseWrongSpan(query);
      if (scope.serviceIds.length === 0) return [];
      for (
        let question: Question | undefined = questions[query.metric];
        question;
        question = question.otherwise
      ) {
        const points = pointsOf(await ask(scope, query, question), question);
        if (points.length > 0) return points;
      }
      return [];
    },
    [Symbol.asyncDispose]: () => client.close(),
  };
}

const hexOf = (id: string): string => id.replaceAll("-", "");

/** The samples of the scope, and of the window and five minutes before its start, for the counts before the first. */
const samples = `
  SELECT name, series, part, toUnixTimestamp64Milli(ts) AS at, value
  FROM metrics.samples
  WHERE project = {project:String} AND service IN {services:Array(String)} AND environment = {environment:String}
    AND name IN {names:Array(String)}
    AND ts > fromUnixTimestamp64Milli({start:Int64} - {window:Int64} - 300000, 'UTC')
    AND ts <= fromUnixTimestamp64Milli({end:Int64}, 'UTC')`;

/** A sample counts for every step in whose window it lies: after \`t - window\`, up to \`t\`. */
const steps = `arrayJoin(range(
    greatest(0, toInt64(ceil((at - {start:Int64}) / {step:Int64}))),
    1 + least(
      intDiv({end:Int64} - {start:Int64}, {step:Int64}),
      toInt64(floor((at + {window:Int64} - 1 - {start:Int64}) / {step:Int64})))))`;

/** A counter that fell was begun anew at nought. Neighbours further apart than the window are no neighbours. */
const ratesQuery = `
  SELECT step, part, sum(rate) AS value FROM (
    SELECT ${steps} AS step, name, series, part, sum(grown) / (sum(took) / 1000) AS rate FROM (
      SELECT name, series, part, at, if(value >= before, value - before, value) AS grown, at - seen AS took FROM (
        SELECT *, lagInFrame(value) OVER along AS before, lagInFrame(at) OVER along AS seen, row_number() OVER along AS n
        FROM (${samples})
        WINDOW along AS (PARTITION BY name, series ORDER BY at ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
      ) WHERE n > 1 AND took > 0 AND took <= {window:Int64}
    ) GROUP BY step, name, series, part
  ) GROUP BY step, part ORDER BY step`;

const valuesQuery = `
  SELECT step, part, sum(last) AS value FROM (
    SELECT ${steps} AS step, series, part, argMax(value, at) AS last FROM (${samples})
    GROUP BY step, name, series, part
  ) GROUP BY step, part ORDER BY step`;

/** A store without the table keeps no metrics; a question it refuses is ours to mend; anything else is its being away. */
function refuse(cause: unknown): never {
  if (cause instanceof ClickHouseError && !["60", "81", "202"].includes(cause.code)) throw cause;
  throw new Fault(
    "unavailable",
    "the metrics store cannot be reached just now. Try again in a few seconds.",
    {
      cause,
      detail: { error: String(cause) },
    },
  );
}
