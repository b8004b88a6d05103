import type { MetricName, MetricPoint } from "../../ports/metric-store.ts";

/** What one step of a series is made of: the values by their part (a bucket, a class of answers; "" for the others). */
export type Step = { readonly ts: number; readonly parts: ReadonlyMap<string, number> };

/** Which samples are asked for, how a step's value comes from them, and what is asked if there are none. */
export type Question = {
  readonly names: readonly string[];
  /** `rate` per second of counters, or the last `value` of gauges; summed over series. */
  readonly of: "rate" | "value";
  /** Undefined where the step has no value, as when nothing was asked for. */
  readonly value: (step: Step) => number | undefined;
  readonly otherwise?: Question;
};

const sum = ({ parts }: Step): number => [...parts.values()].reduce((total, value) => total + value, 0);
const all = (names: readonly string[], of: Question["of"] = "rate"): Question => ({ names, of, value: sum });
const gatewayBytes = all([
  "envoy_cluster_upstream_cx_rx_bytes_total",
  "envoy_cluster_upstream_cx_tx_bytes_total",
]);
const latency = (share: number): Question => ({
  names: ["envoy_cluster_upstream_rq_time_bucket"],
  of: "rate",
  value: ({ parts }) => quantile(share, parts),
});

export const questions: Readonly<Record<MetricName, Question>> = {
  cpu: all(["container_cpu_usage_seconds_total"]),
  memory: all(["container_memory_working_set_bytes"], "value"),
  requests: all(["envoy_cluster_upstream_rq_total"]),
  errors: {
    names: ["envoy_cluster_upstream_rq_xx"],
    of: "rate",
    value: (step) => (sum(step) > 0 ? (100 * (step.parts.get("5") ?? 0)) / sum(step) : undefined),
  },
  latency_p50: latency(0.5),
  latency_p95: latency(0.95),
  latency_p99: latency(0.99),
  throughput: gatewayBytes,
  network: {
    ...all(["container_network_receive_bytes_total", "container_network_transmit_bytes_total"]),
    // Where instances share the machine's network nobody counts their bytes but the gateway.
    otherwise: gatewayBytes,
  },
};

/** The value below which that share lies, within its bucket by even spread, as Prometheus' histogram_quantile. */
export function quantile(share: number, parts: ReadonlyMap<string, number>): number | undefined {
  const buckets = [...parts]
    .map(([le, count]) => ({ le: le === "+Inf" ? Infinity : Number(le), count }))
    .toSorted((a, b) => a.le - b.le);
  const total = buckets.at(-1)?.count ?? 0;
  if (total <= 0 || buckets.at(-1)?.le !== Infinity) return undefined;
  const rank = share * total;
  const at = buckets.findIndex(({ count }) => count >= rank);
  const { le: lower, count: before } = buckets[at - 1] ?? { le: 0, count: 0 };
  const { le, count } = buckets[at]!;
  if (le === Infinity) return lower;
  return count === before ? le : lower + ((le - lower) * (rank - before)) / (count - before);
}

export const pointsOf = (steps: readonly Step[], { value }: Question): MetricPoint[] =>
  steps.flatMap((step) => {
    const seen = value(step);
    return seen === undefined || !Number.isFinite(seen) ? [] : [{ ts: step.ts, value: seen }];
  });
