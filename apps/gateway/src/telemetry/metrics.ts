import type { Route } from "../routing/route-table.ts";

/** What one ended exchange adds to its route's series. */
export type Measured = {
  readonly status: number;
  readonly durationMs: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
};

export type Metrics = {
  /** Counts an exchange of this route; bytes are those between the gateway and the app. */
  record(cluster: string, measured: Measured): void;
  count(cluster: string, name: "retry" | "timeout" | "connect_fail"): void;
  /** The Prometheus text of every route of the table, and of those that left it in the last ten minutes. */
  text(routes: readonly Route[], process: Readonly<Record<string, number>>): string;
};

/** Envoy's default buckets, in milliseconds. */
const bounds = [
  0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000, 600_000,
  1_800_000, 3_600_000,
];
const keptAfterRemovalMs = 600_000;

type Series = {
  total: number;
  retry: number;
  timeout: number;
  connect_fail: number;
  readonly classes: number[];
  readonly buckets: number[];
  sumMs: number;
  receivedBytes: number;
  sentBytes: number;
  seenMs: number;
};

const newSeries = (): Series => ({
  total: 0,
  retry: 0,
  timeout: 0,
  connect_fail: 0,
  classes: [0, 0, 0, 0, 0, 0],
  buckets: bounds.map(() => 0),
  sumMs: 0,
  receivedBytes: 0,
  sentBytes: 0,
  seenMs: 0,
});

export function routeMetrics(now: () => number = () => performance.now()): Metrics {
  const byCluster = new Map<string, Series>();
  const seriesOf = (cluster: string): Series => {
    let series = byCluster.get(cluster);
    if (!series) byCluster.set(cluster, (series = newSeries()));
    return series;
  };

  return {
    record(cluster, { status, durationMs, receivedBytes, sentBytes }) {
      const series = seriesOf(cluster);
      series.total++;
      const statusClass = Math.min(5, Math.floor(status / 100));
      series.classes[statusClass] = (series.classes[statusClass] ?? 0) + 1;
      series.sumMs += durationMs;
      series.receivedBytes += receivedBytes;
      series.sentBytes += sentBytes;
      let at = 0;
      while (at < bounds.length && durationMs > (bounds[at] ?? 0)) at++;
      if (at < bounds.length) series.buckets[at] = (series.buckets[at] ?? 0) + 1;
    },

    count(cluster, name) {
      seriesOf(cluster)[name]++;
    },

    text(routes, process) {
      const active = new Map<string, number>();
      for (const { cluster, upstreams } of routes) {
        seriesOf(cluster).seenMs = now();
        active.set(
          cluster,
          upstreams.reduce((sum, { inflight }) => sum + inflight, 0),
        );
      }
      for (const [cluster, { seenMs }] of byCluster) {
        if (seenMs === 0) seriesOf(cluster).seenMs = now();
        else if (now() - seenMs > keptAfterRemovalMs) byCluster.delete(cluster);
      }
      return [...clusterLines(byCluster, active), ...processLines(process), ""].join("\n");
    },
  };
}

function clusterLines(byCluster: ReadonlyMap<string, Series>, active: ReadonlyMap<string, number>): string[] {
  const family = (
    name: string,
    type: string,
    samples: (series: Series, label: string, cluster: string) => string[],
  ): string[] => [
    `# TYPE envoy_cluster_${name} ${type}`,
    ...[...byCluster].flatMap(([cluster, series]) =>
      samples(series, `envoy_cluster_name="${cluster}"`, cluster),
    ),
  ];
  const counter = (name: string, value: (series: Series) => number): string[] =>
    family(name, "counter", (series, label) => [`envoy_cluster_${name}{${label}} ${value(series)}`]);
  return [
    ...counter("upstream_rq_total", ({ total }) => total),
    ...family("upstream_rq_xx", "counter", ({ classes }, label) =>
      [1, 2, 3, 4, 5].map(
        (at) =>
          `envoy_cluster_upstream_rq_xx{${label},envoy_response_code_class="${at}"} ${classes[at] ?? 0}`,
      ),
    ),
    ...family("upstream_rq_time", "histogram", histogramLines),
    ...family("upstream_rq_active", "gauge", (_, label, cluster) => [
      `envoy_cluster_upstream_rq_active{${label}} ${active.get(cluster) ?? 0}`,
    ]),
    ...counter("upstream_cx_rx_bytes_total", ({ receivedBytes }) => receivedBytes),
    ...counter("upstream_cx_tx_bytes_total", ({ sentBytes }) => sentBytes),
    ...counter("upstream_rq_retry", ({ retry }) => retry),
    ...counter("upstream_rq_timeout", ({ timeout }) => timeout),
    ...counter("upstream_cx_connect_fail", ({ connect_fail }) => connect_fail),
  ];
}

function histogramLines({ buckets, total, sumMs }: Series, label: string): string[] {
  let sum = 0;
  const name = "envoy_cluster_upstream_rq_time";
  return [
    ...bounds.map((bound, at) => `${name}_bucket{${label},le="${bound}"} ${(sum += buckets[at] ?? 0)}`),
    `${name}_bucket{${label},le="+Inf"} ${total}`,
    `${name}_sum{${label}} ${Math.round(sumMs * 1_000) / 1_000}`,
    `${name}_count{${label}} ${total}`,
  ];
}

const processLines = (process: Readonly<Record<string, number>>): string[] =>
  Object.entries(process).flatMap(([name, value]) => [
    `# TYPE starform_gateway_${name} gauge`,
    `starform_gateway_${name} ${value}`,
  ]);
