import type { MetricStore } from "../../ports/metric-store.ts";

/** Stands where an installation keeps no metrics: every series is empty, and the reason is told. */
export const noMetricStore = (): MetricStore => ({
  whyNone:
    "This installation keeps no metrics, because VictoriaMetrics was not found on the machine. On Debian: apt-get install victoria-metrics, then start Starform again; elsewhere put the victoria-metrics binary on the PATH.",
  series: () => Promise.resolve([]),
});
