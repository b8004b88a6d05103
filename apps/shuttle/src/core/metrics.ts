import type { InformerHealth, PodUsage } from "./cluster.ts";

const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
type Gauge = "starform_cluster_pods" | "starform_cluster_pods_soft_limit";
type Histogram = { counts: number[]; sum: number; count: number };

export type Metrics = ReturnType<typeof shuttleMetrics>;

/** Shuttle's own figures, and what its apps use, in Prometheus' text format. */
export function shuttleMetrics() {
  const counters = {
    starform_snapshots_sent_total: 0,
    starform_snapshots_failed_total: 0,
    starform_capacity_reports_sent_total: 0,
    starform_reconcile_errors_total: 0,
    /** Every service looked at, whether something was heard of it or not. */
    starform_reconcile_passes_total: 0,
    starform_starbase_token_refused_total: 0,
  };
  /** Known once they were told for the first time: no capacity is not a capacity of nought. */
  const gauges = new Map<Gauge, number>();
  const requests = new Map<string, Histogram>();
  /** A local engine tells what ends as an informer would: the same names, so that the same alert watches both. */
  const events = new Map<string, { lastMs: number; errors: number; frozen?: number }>();
  const eventOf = (resource: string) => {
    const event = events.get(resource) ?? { lastMs: 0, errors: 0 };
    events.set(resource, event);
    return event;
  };
  return {
    count(name: keyof typeof counters, by = 1): void {
      counters[name] += by;
    },
    set: (name: Gauge, value: number): void => void gauges.set(name, value),
    request(call: string, seconds: number): void {
      const histogram = requests.get(call) ?? { counts: buckets.map(() => 0), sum: 0, count: 0 };
      requests.set(call, histogram);
      buckets.forEach((bound, at) => void (seconds <= bound && (histogram.counts[at]! += 1)));
      histogram.sum += seconds;
      histogram.count += 1;
    },
    event: (resource: string): void => void (eventOf(resource).lastMs = Date.now()),
    /** Of a cluster that is watched through informers: their own word. */
    informer: ({ resource, lastEventAtMs = 0, watchErrors, frozenTimes }: InformerHealth): void =>
      void events.set(resource, { lastMs: lastEventAtMs, errors: watchErrors, frozen: frozenTimes }),
    watchError: (resource: string): void => void (eventOf(resource).errors += 1),
    text(usage: readonly PodUsage[]): string {
      const lines = Object.entries(counters).flatMap(([name, value]) => [
        `# TYPE ${name} counter`,
        `${name} ${value}`,
      ]);
      for (const [name, value] of gauges) lines.push(`# TYPE ${name} gauge`, `${name} ${value}`);
      lines.push("# TYPE starform_starbase_request_duration_seconds histogram");
      for (const [call, { counts, sum, count }] of requests) {
        const name = "starform_starbase_request_duration_seconds";
        counts.forEach((value, at) =>
          lines.push(`${name}_bucket{call="${call}",le="${buckets[at]}"} ${value}`),
        );
        lines.push(
          `${name}_bucket{call="${call}",le="+Inf"} ${count}`,
          `${name}_sum{call="${call}"} ${sum}`,
          `${name}_count{call="${call}"} ${count}`,
        );
      }
      lines.push("# TYPE starform_informer_last_event_timestamp_seconds gauge");
      for (const [resource, { lastMs }] of events)
        lines.push(
          `starform_informer_last_event_timestamp_seconds{resource="${resource}"} ${lastMs / 1_000}`,
        );
      lines.push("# TYPE starform_informer_watch_errors_total counter");
      for (const [resource, { errors }] of events)
        lines.push(`starform_informer_watch_errors_total{resource="${resource}"} ${errors}`);
      lines.push("# TYPE starform_informer_frozen_total counter");
      for (const [resource, { frozen }] of events)
        if (frozen !== undefined)
          lines.push(`starform_informer_frozen_total{resource="${resource}"} ${frozen}`);
      lines.push("# TYPE container_cpu_usage_seconds_total counter");
      for (const pod of usage)
        lines.push(`container_cpu_usage_seconds_total{${labelsOf(pod)}} ${pod.cpuSeconds}`);
      lines.push("# TYPE container_memory_working_set_bytes gauge");
      for (const pod of usage)
        lines.push(`container_memory_working_set_bytes{${labelsOf(pod)}} ${pod.memoryWorkingSetBytes}`);
      return `${lines.join("\n")}\n`;
    },
  };
}

const labelsOf = (pod: PodUsage): string =>
  Object.entries({
    project_id: pod.projectId,
    environment: pod.environment,
    service_id: pod.serviceId,
    instance: pod.podId,
    workspace_id: pod.workspaceId,
  })
    .map(([name, value]) => `${name}="${value.replaceAll(/["\\\n]/g, "_")}"`)
    .join(",");
