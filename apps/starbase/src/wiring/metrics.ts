import { noMetricStore } from "../adapters/victoriametrics/no-metric-store.ts";
import { victoriaMetricStore } from "../adapters/victoriametrics/metric-store.ts";
import type { Config } from "../config.ts";
import type { MetricStore } from "../ports/metric-store.ts";

export const metricStoreOf = ({ metrics }: Config): MetricStore =>
  metrics ? victoriaMetricStore(metrics) : noMetricStore();
