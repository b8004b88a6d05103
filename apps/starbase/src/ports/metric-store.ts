import type { MetricName as MetricNameSchema } from "@starform/contract/logs";
import type { z } from "zod";
import type { LogScope } from "./log-store.ts";

export type MetricName = z.infer<typeof MetricNameSchema>;

/** Whose series may be read: made from the caller's grants. */
export type MetricScope = Omit<LogScope, "keptSince">;

export type MetricQuery = {
  readonly metric: MetricName;
  readonly from: Date;
  readonly to: Date;
  readonly stepSeconds: number;
};

/** `ts` in milliseconds since 1970, `value` in the metric's unit. Times without data are left out. */
export type MetricPoint = { readonly ts: number; readonly value: number };

/** Units as a person reads them; a rate is a mean over at least a minute. */
export const metricUnits = {
  cpu: "vCPU",
  memory: "bytes",
  requests: "requests/s",
  errors: "% of requests",
  latency_p50: "ms",
  latency_p95: "ms",
  latency_p99: "ms",
  throughput: "bytes/s",
  network: "bytes/s",
} as const satisfies Record<MetricName, string>;

export interface MetricStore {
  /** One sentence when this installation keeps no metrics, with what to do about it; every series is empty then. */
  readonly whyNone: string | undefined;
  /**
   * One metric summed over the services of the scope. Rejects with Fault `invalid` for a span of no length or of more
   * than 11,000 steps, and with `unavailable` while the store cannot be reached.
   */
  series(scope: MetricScope, query: MetricQuery): Promise<MetricPoint[]>;
}
