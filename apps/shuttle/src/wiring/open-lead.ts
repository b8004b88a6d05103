import { join } from "node:path";
import { desiredStatePurpose } from "@starform/contract/clusters";
import { openLogShipper } from "@starform/log-shipper/log-shipper";
import { wordsOf } from "@starform/std/fault";
import { verifierOf } from "@starform/std/signature";
import type { Logger } from "pino";
import { fileSnapshotLog } from "../adapters/disk/snapshot-log.ts";
import { memorySnapshotLog } from "../adapters/memory/snapshot-log.ts";
import { noLogs, type LogSink } from "../adapters/log-sink.ts";
import type { Config } from "../config.ts";
import type { Cluster } from "../core/cluster.ts";
import type { Metrics } from "../core/metrics.ts";
import type { Starbase } from "../core/ports.ts";
import { leftAloneReport } from "../core/left-alone.ts";
import { clusterKey, keyOf, type ServiceKey } from "../core/service-key.ts";
import type { Time } from "../core/time.ts";
import { capacityLoop } from "../loops/capacity.ts";
import { desiredStateLoop } from "../loops/desired-state.ts";
import { openDesiredView, type DesiredView } from "../loops/desired-view.ts";
import { periodic } from "../loops/periodic.ts";
import { reconcileService } from "../loops/reconcile.ts";
import { registering } from "../loops/registering.ts";
import { snapshotLoop } from "../loops/snapshots.ts";
import { statusLoop } from "../loops/status.ts";
import { workQueue } from "../loops/work-queue.ts";
import { openCluster } from "./open-cluster.ts";
import type { ClusterStores } from "./open-stores.ts";
import { tenantOf, warnTo } from "./warnings.ts";

export type LeadDeps = {
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly starbase: Starbase;
  readonly stores: ClusterStores;
  readonly time: Time;
  /** Of the time that it may lead for. */
  readonly signal: AbortSignal;
  /** Starbase has answered at least once. */
  readonly reached: () => void;
};
export type Lead = AsyncDisposable & { readonly cluster: Cluster };

/** Everything that acts on the cluster and speaks to Starbase: what only the leader of several Shuttles runs. */
export async function openLead(config: Config, deps: LeadDeps): Promise<Lead> {
  await using stack = new AsyncDisposableStack();
  const { log, metrics, starbase, stores, time, signal, reached } = deps;
  const warn = warnTo(log);
  const sink: LogSink = config.logs
    ? stack.use(openLogShipper({ ...config.logs, bufferDir: join(config.dir, "log-buffer"), onError: warn }))
    : noLogs;
  const cluster = stack.use(await openCluster(config, { sink, warn, time }));
  let desired: DesiredView | undefined;
  const desiredState = () => desired?.state;
  const wantedKeys = (): ServiceKey[] =>
    desiredState()
      ?.services.filter((service) => !service.deleted)
      .map(keyOf) ?? [];
  const isLeftAlone = (key: ServiceKey): boolean => desired?.isLeftAlone(key) ?? false;
  const leftAlone = (key: ServiceKey, observed: ReturnType<Cluster["observe"]>) => {
    const service = isLeftAlone(key) && desiredState()?.services.find((one) => keyOf(one) === key);
    return service ? leftAloneReport(service, desiredState()!.version, observed) : observed;
  };
  const status = stack.use(
    statusLoop(
      {
        starbase,
        cluster,
        keys: wantedKeys,
        override: (key) => desired?.override(key),
        overrideTold: (override) => void desired?.told(override),
        leftAlone,
        warn,
        time,
      },
      config.intervalsMs.status,
    ),
  );
  const queue = stack.use(
    workQueue({
      reconcile: reconcileService({ desired: desiredState, cluster, isLeftAlone, looked: status.look }),
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
  const changed = (keys: readonly string[]): void => {
    const state = desiredState();
    if (state) cluster.wanted?.(state.services.filter(({ deleted }) => !deleted));
    keys.forEach(queue.add);
    if (cluster.configure) queue.add(clusterKey);
  };
  const view = await openDesiredView({
    store: stores.desiredStore,
    overrides: stores.overrides,
    clusterId: config.clusterId,
    isSigned: config.signingKeys ? verifierOf(config.signingKeys, desiredStatePurpose) : undefined,
    // An inventory that could not be read yet is empty, too.
    runsHere: async () => (await cluster.inventory(signal)).length > 0 || cluster.notReady?.() !== undefined,
    changed,
    warn,
  });
  desired = view;
  stack.use(stores.overrides.onChange(() => void view.overridesChanged()));
  stack.use(desiredStateLoop({ starbase, view, warn, reached, time }, config.intervalsMs.reconcile));
  const fullPass = async (within: AbortSignal): Promise<void> => {
    await view.reread();
    const state = desiredState();
    if (state) changed([...new Set([...state.services.map(keyOf), ...(await cluster.inventory(within))])]);
    metrics.count("starform_reconcile_passes_total");
  };
  stack.use(periodic(config.intervalsMs.reconcile, fullPass, (error) => warn(wordsOf(error)), time));
  stack.use(
    snapshotLoop(
      {
        starbase,
        cluster,
        clusterId: config.clusterId,
        warn,
        log: config.hasVolume ? fileSnapshotLog(join(config.dir, "wal"), warn) : memorySnapshotLog(warn),
        sent: (count) => metrics.count("starform_snapshots_sent_total", count),
        failed: (count) => metrics.count("starform_snapshots_failed_total", count),
        time,
      },
      config.intervalsMs.snapshot,
    ),
  );
  stack.use(
    capacityLoop(
      {
        starbase,
        cluster,
        clusterId: config.clusterId,
        softLimit: config.softLimit,
        warn,
        seen: ({ podCount }) => {
          metrics.set("starform_cluster_pods", podCount);
          metrics.set("starform_cluster_pods_soft_limit", config.softLimit);
        },
        sent: () => {
          metrics.count("starform_capacity_reports_sent_total");
          metrics.event("pods");
        },
        time,
      },
      config.intervalsMs.capacity,
    ),
  );
  stack.use(registering({ starbase, cluster, region: config.region, warn, reached, time }));
  // What acts ends first: the rest may take its time over what is still to be told, and another one may lead by then.
  stack.defer(() => queue[Symbol.asyncDispose]());
  const all = stack.move();
  return { cluster, [Symbol.asyncDispose]: () => all.disposeAsync() };
}
