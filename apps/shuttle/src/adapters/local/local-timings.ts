/** How often the orchestrator looks, in milliseconds; tests shorten them. */
export type LocalTimings = {
  /** Between two probes of an instance that starts: at first, and after `probeEagerMs`. */
  readonly probeEveryMs: number;
  readonly probeEagerMs: number;
  readonly probeLaterMs: number;
  readonly probeTimeoutMs: number;
  /** A new instance that listens elsewhere only is given up after this time, before its own time is over. */
  readonly wrongPortMs: number;
  /** An instance without a port is ready when it stayed up this long. */
  readonly settledAfterMs: number;
  readonly livenessEveryMs: number;
  readonly livenessFailsMax: number;
  /** How often a draining instance's requests are counted. */
  readonly drainEveryMs: number;
  /** Quick endings after which a new deployment is given up. */
  readonly triesMax: number;
};

export const localTimings: LocalTimings = {
  probeEveryMs: 50,
  probeEagerMs: 5_000,
  probeLaterMs: 250,
  probeTimeoutMs: 5_000,
  wrongPortMs: 30_000,
  settledAfterMs: 1_500,
  livenessEveryMs: 5_000,
  livenessFailsMax: 3,
  drainEveryMs: 100,
  triesMax: 3,
};
