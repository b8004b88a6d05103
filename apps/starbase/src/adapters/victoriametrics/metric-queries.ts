import type { MetricName, MetricQuery, MetricScope } from "../../ports/metric-store.ts";

/** What is asked and the filter that goes with it; the query itself never names a tenant. */
export type Question = { readonly query: string; readonly filter: string };

/** The question for a metric, and the ones to fall back on when nothing is known under its first name. */
export function questionOf(
  scope: MetricScope,
  { metric, stepSeconds }: MetricQuery,
): readonly [Question, ...Question[]] {
  // Below a minute a rate over a scrape of ten seconds is mostly noise.
  const window = `${Math.max(60, Math.ceil(stepSeconds))}s`;
  const gateway = gatewayFilter(scope);
  const shuttle = shuttleFilter(scope);
  const rate = (name: string): string => `sum(rate(${name}[${window}]))`;
  const gatewayBytes = `${rate("envoy_cluster_upstream_cx_rx_bytes_total")} + ${rate("envoy_cluster_upstream_cx_tx_bytes_total")}`;
  const latency = (quantile: number): Question => ({
    query: `histogram_quantile(${quantile}, sum by (le) (rate(envoy_cluster_upstream_rq_time_bucket[${window}])))`,
    filter: gateway,
  });
  const questions: Record<MetricName, readonly [Question, ...Question[]]> = {
    cpu: [{ query: rate("container_cpu_usage_seconds_total"), filter: shuttle }],
    memory: [{ query: "sum(container_memory_working_set_bytes)", filter: shuttle }],
    requests: [{ query: rate("envoy_cluster_upstream_rq_total"), filter: gateway }],
    errors: [
      {
        query: `100 * (${rate('envoy_cluster_upstream_rq_xx{envoy_response_code_class="5"}')} or vector(0)) / ${rate("envoy_cluster_upstream_rq_xx")}`,
        filter: gateway,
      },
    ],
    latency_p50: [latency(0.5)],
    latency_p95: [latency(0.95)],
    latency_p99: [latency(0.99)],
    throughput: [{ query: gatewayBytes, filter: gateway }],
    network: [
      {
        query: `${rate("container_network_receive_bytes_total")} + ${rate("container_network_transmit_bytes_total")}`,
        filter: shuttle,
      },
      // Where instances share the machine's network nobody counts their bytes but the gateway.
      { query: gatewayBytes, filter: gateway },
    ],
  };
  return questions[metric];
}

/**
 * Series of Envoy's names carry the tenant in the route's name only. A service of many hosts has several routes, the
 * further ones with their number before the environment: `<ids>--2-<environment>`.
 */
function gatewayFilter({ projectId, environment, serviceIds }: MetricScope): string {
  const services = serviceIds.map((id) => literally(hexOf(id))).join("|");
  return `{envoy_cluster_name=~${quoted(`httproute/[^/]+/${literally(hexOf(projectId))}(${services})(--[0-9]+)?-${literally(environment)}/rule/[0-9]+`)}}`;
}

function shuttleFilter({ projectId, environment, serviceIds }: MetricScope): string {
  const services = serviceIds.map(literally).join("|");
  return `{project_id=${quoted(projectId)},environment=${quoted(environment)},service_id=~${quoted(services)}}`;
}

const hexOf = (id: string): string => id.replaceAll("-", "");
/** A text as a regular expression that matches it alone. */
const literally = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
const quoted = (text: string): string => JSON.stringify(text);
