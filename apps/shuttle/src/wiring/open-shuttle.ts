import { join } from "node:path";
import { desiredStatePurpose } from "@starform/contract/clusters";
import { openLogShipper } from "@starform/log-shipper/log-shipper";
import { wordsOf } from "@starform/std/fault";
import { backoffMs, pause } from "@starform/std/retry";
import { pino } from "pino";
import { verifierOf } from "@starform/std/signature";
import { fileSnapshotLog } from "../adapters/disk/snapshot-log.ts";
import { noLogs, type LogSink } from "../adapters/local/output-pump.ts";
import { httpStarbase } from "../adapters/starbase/http-starbase.ts";
import type { Config } from "../config.ts";
import type { Cluster } from "../core/cluster.ts";
import { shuttleMetrics } from "../core/metrics.ts";
import type { Starbase } from "../core/ports.ts";
import { keyOf, partsOf, type ServiceKey } from "../core/service-key.ts";
import { openProbeServer } from "../http/probe-server.ts";
import { desiredStateLoop } from "../loops/desired-state.ts";
import { openDesiredView, type DesiredView } from "../loops/desired-view.ts";
import { periodic } from "../loops/periodic.ts";
import { reconcileService } from "../loops/reconcile.ts";
import { snapshotLoop } from "../loops/snapshots.ts";
import { statusLoop } from "../loops/status.ts";
import { metricsText } from "../loops/usage.ts";
import { workQueue } from "../loops/work-queue.ts";
import { openCluster } from "./open-cluster.ts";
import { storesOf } from "./open-stores.ts";

export const shuttleVersion = "0.1.0";
export type Shuttle = AsyncDisposable & { readonly port: number };

/** Starts every loop; nothing that is away at the start keeps it from starting. */
export async function openShuttle(config: Config): Promise<Shuttle> {
  await using stack = new AsyncDisposableStack();
  const log = pino({ level: config.logLevel, base: { process: "shuttle", cluster_id: config.clusterId } });
  const warn = (sentence: string): void => log.warn(sentence);
  const metrics = shuttleMetrics();
  let isReached = false;

  const sink: LogSink = config.telemetry
    ? stack.use(
        openLogShipper({ ...config.telemetry, bufferDir: join(config.dir, "log-buffer"), onError: warn }),
      )
    : noLogs;
  const starbase = httpStarbase({ ...config.starbase, clusterId: config.clusterId, timed: metrics.request });
  const cluster = stack.use(await openCluster(config, { sink, warn }));
  const desiredState = () => desired?.state;
  const { desiredStore, overrides } = stack.use(await storesOf(config));
  if (!config.signingKeys)
    warn("STARFORM_SIGNING_KEYS_FILE is not set: what Starbase decides is believed without its signature");
  const status = stack.use(
    statusLoop(
      {
        starbase,
        cluster,
        keys: () =>
          desiredState()
            ?.services.filter((service) => !service.deleted)
            .map(keyOf) ?? [],
        held: (key) => desired?.held(key),
        warn,
      },
      config.intervalsMs.status,
    ),
  );
  const queue = stack.use(
    workQueue({
      reconcile: reconcileService({ desired: desiredState, cluster, looked: status.look }),
      failed: (key, error) => {
        metrics.count("starform_reconcile_errors_total");
        log.error(
          { ...tenantOf(key), err: wordsOf(error) },
          "a service could not be brought to its desired state; it is tried again",
        );
      },
    }),
  );
  stack.use(
    cluster.onChange((key) => {
      metrics.event("pods");
      queue.add(key);
    }),
  );
  let desired: DesiredView | undefined;
  const changed = (keys: readonly string[]): void => keys.forEach(queue.add);
  desired = await openDesiredView({
    store: desiredStore,
    overrides,
    clusterId: config.clusterId,
    isSigned: config.signingKeys ? verifierOf(config.signingKeys, desiredStatePurpose) : undefined,
    changed,
    warn,
  });
  const view = desired;
  stack.use(overrides.onChange(() => void view.reread()));
  stack.use(
    desiredStateLoop(
      { starbase, view, warn, reached: () => void (isReached = true) },
      config.intervalsMs.reconcile,
    ),
  );
  const fullPass = async (): Promise<void> => {
    await view.reread();
    const state = desiredState();
    if (state) changed([...new Set([...state.services.map(keyOf), ...(await cluster.inventory())])]);
  };
  stack.use(periodic(config.intervalsMs.reconcile, fullPass, (error) => warn(wordsOf(error))));
  stack.use(
    snapshotLoop(
      {
        starbase,
        cluster,
        warn,
        log: fileSnapshotLog(join(config.dir, "wal"), warn),
        sent: (count) => metrics.count("starform_snapshots_sent_total", count),
        failed: (count) => metrics.count("starform_snapshots_failed_total", count),
      },
      config.intervalsMs.snapshot,
    ),
  );
  const reportCapacity = async (signal: AbortSignal): Promise<void> => {
    await starbase.postCapacity(
      { ...(await cluster.capacity()), softLimit: config.softLimit, at: new Date() },
      signal,
    );
    metrics.count("starform_capacity_reports_sent_total");
    metrics.event("pods");
  };
  stack.use(
    periodic(config.intervalsMs.capacity, reportCapacity, (error) =>
      warn(`the capacity was not reported: ${wordsOf(error)}`),
    ),
  );
  const reached = (): void => void (isReached = true);
  stack.use(registering(starbase, cluster, config.region, warn, reached));
  const server = stack.use(
    await openProbeServer(
      {
        notReady: () =>
          isReached ? undefined : "Starbase was not reached yet; what is known from before runs",
        metrics: metricsText({ cluster, metrics, warn }),
        metricsToken: config.metricsToken,
      },
      config.http,
    ),
  );
  log.info(
    { runtime: cluster.runtime, capabilities: cluster.capabilities, port: server.port },
    "shuttle is up",
  );
  const all = stack.move();
  return { port: server.port, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/** Says once what this cluster is; repeated until it is heard. */
function registering(
  starbase: Starbase,
  cluster: Cluster,
  region: string,
  warn: (sentence: string) => void,
  reached: () => void,
): AsyncDisposable {
  const ending = new AbortController();
  const run = async (): Promise<void> => {
    const { runtime, kubernetesVersion, capabilities } = cluster;
    for (let fails = 0; !ending.signal.aborted;)
      try {
        await starbase.register(
          { shuttleVersion, runtime, kubernetesVersion, capabilities, region },
          ending.signal,
        );
        return reached();
      } catch (error) {
        if (fails++ % 20 === 0 && !ending.signal.aborted)
          warn(`Starbase does not know this cluster's Shuttle yet: ${wordsOf(error)}`);
        await pause(backoffMs({ firstMs: 250, maxMs: 10_000 }, fails), ending.signal);
      }
  };
  const running = run();
  return {
    async [Symbol.asyncDispose]() {
      ending.abort();
      await running;
    },
  };
}

const tenantOf = (key: ServiceKey) => {
  const { projectId, environment, serviceId } = partsOf(key);
  return { project_id: projectId, environment, service_id: serviceId };
};
