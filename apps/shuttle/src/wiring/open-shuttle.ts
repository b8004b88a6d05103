import { once } from "node:events";
import { hostname } from "node:os";
import { wordsOf } from "@starform/std/fault";
import { pino } from "pino";
import { httpStarbase } from "../adapters/starbase/http-starbase.ts";
import type { Config } from "../config.ts";
import { shuttleMetrics } from "../core/metrics.ts";
import { systemTime, type Time } from "../core/time.ts";
import { openProbeServer } from "../http/probe-server.ts";
import { metricsText } from "../loops/usage.ts";
import { openLead, type Lead } from "./open-lead.ts";
import { openLeadership } from "./open-leadership.ts";
import { storesOf } from "./open-stores.ts";
import { warnTo } from "./warnings.ts";

export type Shuttle = AsyncDisposable & { readonly port: number };
export type ShuttleOptions = {
  readonly time?: Time;
  /** Of this Shuttle among several. A pod's host name is the pod's, which no other one has while it lives. */
  readonly identity?: string;
};

/** Starts what answers probes and, while this process leads, every loop; nothing that is away keeps it from starting. */
export async function openShuttle(
  config: Config,
  { time = systemTime, identity = `${hostname()}-${process.pid}` }: ShuttleOptions = {},
): Promise<Shuttle> {
  await using stack = new AsyncDisposableStack();
  const log = pino({ level: config.logLevel, base: { process: "shuttle", cluster_id: config.clusterId } });
  const warn = warnTo(log);
  const metrics = shuttleMetrics();
  if (!config.signingKeys)
    warn("STARFORM_SIGNING_KEYS_FILE is not set: what Starbase decides is believed without its signature");
  const starbase = httpStarbase({
    ...config.starbase,
    clusterId: config.clusterId,
    timed: metrics.request,
    refused: () => metrics.count("starform_starbase_token_refused_total"),
  });
  const stores = stack.use(await storesOf(config, warn));
  const { leadership, mayStandBy } = stack.use(await openLeadership(config, { warn, identity, time }));
  const seen: { lead: Lead | undefined; lack: string | undefined; isReached: boolean } = {
    lead: undefined,
    /** Why what runs the apps cannot be opened yet. */
    lack: undefined,
    isReached: false,
  };
  const reached = (): void => void (seen.isReached = true);
  const server = stack.use(
    await openProbeServer(
      {
        notReady: () =>
          seen.lack ??
          seen.lead?.cluster.notReady?.() ??
          (seen.isReached || (mayStandBy && !seen.lead)
            ? undefined
            : "Starbase was not reached yet; what is known from before runs"),
        metrics: metricsText({
          cluster: {
            // On Kubernetes the kubelets tell it, of the same containers under the same names.
            usage: async () =>
              seen.lead && seen.lead.cluster.runtime !== "kubernetes" ? seen.lead.cluster.usage() : [],
            informers: () => seen.lead?.cluster.informers?.() ?? [],
          },
          metrics,
          warn,
        }),
        metricsToken: config.metricsToken,
      },
      config.http,
    ),
  );
  const lead = async (signal: AbortSignal): Promise<void> => {
    await using opened = await openLead(config, { log, metrics, starbase, stores, time, signal, reached });
    Object.assign(seen, { lead: opened, lack: undefined });
    const { runtime, capabilities } = opened.cluster;
    log.info({ runtime, capabilities, port: server.port }, "shuttle is up");
    if (!signal.aborted) await once(signal, "abort");
    Object.assign(seen, { lead: undefined });
  };
  /** What cannot be opened now is opened later: an engine that is away must not end the process. */
  const leadForEver = async (signal: AbortSignal): Promise<void> => {
    for (let fails = 0; !signal.aborted; fails++)
      try {
        await lead(signal);
      } catch (error) {
        const lack = `what runs the apps could not be opened, and is tried again: ${wordsOf(error)}`;
        if (lack !== seen.lack || fails % 20 === 0) warn(lack);
        seen.lack = lack;
        await time.pause(Math.min(500 * 2 ** fails, 5_000), signal);
      }
  };
  const ending = new AbortController();
  const running = leadership.run(leadForEver, ending.signal);
  stack.defer(async () => {
    ending.abort();
    await running;
  });
  const all = stack.move();
  return { port: server.port, [Symbol.asyncDispose]: () => all.disposeAsync() };
}
