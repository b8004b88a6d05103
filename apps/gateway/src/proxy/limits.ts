/** Every bound the proxy holds, in one place; a route may set its own retries and timeouts. */
export type Limits = {
  /** A request head must be whole this long after its first byte. */
  readonly headTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  /** The longest silence within a request's body. */
  readonly bodyIdleTimeoutMs: number;
  readonly connectTimeoutMs: number;
  /** From the whole request to the first byte of its answer. */
  readonly responseTimeoutMs: number;
  readonly responseIdleTimeoutMs: number;
  readonly tunnelIdleTimeoutMs: number;
  /** An unused connection to an app is closed after this: below the 5 s after which Node's own server closes it. */
  readonly upstreamIdleTimeoutMs: number;
  /** How long a client may take to read the end of a connection that we close. */
  readonly lingerTimeoutMs: number;
  readonly retries: number;
  readonly retryFirstDelayMs: number;
  readonly socketsPerUpstreamMax: number;
  readonly idlePerUpstreamMax: number;
  readonly waitingPerUpstreamMax: number;
  readonly clientsMax: number;
  readonly sweepEveryMs: number;
  /** How long open requests may take once the gateway is told to stop. */
  readonly shutdownGraceMs: number;
};

export const defaultLimits: Limits = {
  headTimeoutMs: 10_000,
  keepAliveTimeoutMs: 65_000,
  bodyIdleTimeoutMs: 60_000,
  connectTimeoutMs: 5_000,
  responseTimeoutMs: 60_000,
  responseIdleTimeoutMs: 300_000,
  tunnelIdleTimeoutMs: 3_600_000,
  upstreamIdleTimeoutMs: 4_000,
  lingerTimeoutMs: 2_000,
  retries: 2,
  retryFirstDelayMs: 50,
  socketsPerUpstreamMax: 2_048,
  idlePerUpstreamMax: 256,
  waitingPerUpstreamMax: 4_096,
  clientsMax: 20_000,
  sweepEveryMs: 250,
  shutdownGraceMs: 5_000,
};
