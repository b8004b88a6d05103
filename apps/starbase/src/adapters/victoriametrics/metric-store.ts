import { Fault } from "@starform/std/fault";
import type { MetricPoint, MetricQuery, MetricStore } from "../../ports/metric-store.ts";
import { questionOf } from "./metric-queries.ts";
import { refuseWrongSpan } from "./metric-span.ts";

/** Metrics out of VictoriaMetrics, or anything with Prometheus' HTTP API that knows `extra_filters[]`. */
export function victoriaMetricStore({
  url,
  user,
  password,
  timeoutMs = 10_000,
}: {
  url: string;
  user?: string;
  /** Empty: the store asks for none. */
  password?: string;
  timeoutMs?: number;
}): MetricStore {
  const headers = password
    ? { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}` }
    : {};
  const ask = async (
    query: string,
    filter: string,
    { from, to, stepSeconds }: MetricQuery,
  ): Promise<MetricPoint[]> => {
    const asked = new URL("/api/v1/query_range", url);
    asked.search = new URLSearchParams({
      query,
      start: String(from.getTime() / 1_000),
      end: String(to.getTime() / 1_000),
      step: `${stepSeconds}s`,
      // Added to every selector by the store itself: the query cannot get around it.
      "extra_filters[]": filter,
    }).toString();
    const response = await fetch(asked, { headers, signal: AbortSignal.timeout(timeoutMs) }).catch(
      (cause: unknown) => {
        throw new Fault(
          "unavailable",
          "the metrics store cannot be reached just now. Try again in a few seconds.",
          { cause },
        );
      },
    );
    const words = await response.text();
    if (!response.ok)
      throw new Fault(
        "unavailable",
        "the metrics store did not answer this question. Try again, or ask for a shorter time.",
        {
          detail: { status: response.status, words: words.slice(0, 500) },
        },
      );
    return pointsIn(JSON.parse(words) as Answer);
  };

  return {
    whyNone: undefined,
    async series(scope, query) {
      refuseWrongSpan(query);
      if (scope.serviceIds.length === 0) return [];
      const [question, ...others] = questionOf(scope, query);
      let points = await ask(question.query, question.filter, query);
      for (const other of others)
        if (points.length === 0) points = await ask(other.query, other.filter, query);
      return points;
    },
  };
}

type Answer = {
  readonly data: { readonly result: readonly { readonly values: readonly (readonly [number, string])[] }[] };
};

const pointsIn = ({ data }: Answer): MetricPoint[] =>
  (data.result[0]?.values ?? [])
    .map(([seconds, value]) => ({ ts: Math.round(seconds * 1_000), value: Number(value) }))
    .filter(({ value }) => Number.isFinite(value));
