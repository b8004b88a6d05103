import { clickhouseMetricStore } from "../adapters/clickhouse/metric-store.ts";
import { victoriaMetricStore } from "../adapters/victoriametrics/metric-store.ts";
import type { Config } from "../config.ts";
import type { MetricStore } from "../ports/metric-store.ts";

/** VictoriaMetrics where it is set up, else what the built-in telemetry store keeps itself. */
export const metricStoreOf = ({ metrics, clickhouse }: Config, stack: AsyncDisposableStack): MetricStore =>
  metrics ? victoriaMetricStore(metrics) : stack.use(clickhouseMetricStore(clickhouse));
