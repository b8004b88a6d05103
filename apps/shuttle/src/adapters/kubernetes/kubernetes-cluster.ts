import type { DesiredService } from "@starform/contract/clusters";
import type { KubeApi } from "@starform/kubernetes/kube-api";
import { isKubeError } from "@starform/kubernetes/kube-error";
import { backoffMs, pause } from "@starform/std/retry";
import type { Again, Cluster } from "../../core/cluster.ts";
import { runsKnown } from "../../core/runs-known.ts";
import { keyOf, type ServiceKey } from "../../core/service-key.ts";
import type { LogSink } from "../log-sink.ts";
import { serviceApplies } from "./apply-service.ts";
import { applier, applyMemory, ServerAway } from "./apply/applier.ts";
import { deleter } from "./apply/collect.ts";
import type { Drift } from "./apply/drift.ts";
import { isInventoryOf } from "./apply/inventory.ts";
import { projectApplies } from "./apply/projects.ts";
import { cronRunsOf } from "./cron-runs.ts";
import { overtakenRuns } from "./end-overtaken-runs.ts";
import type { ToldEndingsStore } from "./kept/told-endings.ts";
import { clusterManifests } from "./manifests/cluster-manifests.ts";
import type { ManifestContext } from "./manifests/context.ts";
import { capacityOf, podMeter, usageMeter } from "./metering.ts";
import { serviceRemovals } from "./remove-service.ts";
import { serviceStates } from "./service-states.ts";
import { tellEndings } from "./tell-endings.ts";
import { openClusterView } from "./view/cluster-view.ts";
import type { Warn } from "../../core/warn.ts";

export type KubernetesClusterOptions = {
  readonly api: KubeApi;
  readonly context: ManifestContext;
  readonly warn: Warn;
  /** The watch of a resource was silent for 300 s, and is being repaired. */
  readonly frozen?: (resource: string) => void;
  readonly silentMaxMs?: number;
  readonly nowMs?: () => number;
  /** Where an app's log is told of the ends of its pods; it is told nothing without. */
  readonly logs?: { readonly sink: LogSink; readonly told: ToldEndingsStore };
};

const versionWithinMs = 3_000;
const syncWithinMs = 20_000;
/** While the API server is away, each key asks again after this, and one sentence a minute tells of it. */
const awayBackoff = { firstMs: 1_000, maxMs: 15_000 };
const awayToldEveryMs = 60_000;

/** A cluster that is a Kubernetes: what is decided is applied, what is seen comes from informers. */
export async function openKubernetesCluster(options: KubernetesClusterOptions): Promise<Cluster> {
  const { api, context, warn, nowMs = Date.now } = options;
  const listeners = new Set<(key: ServiceKey) => void>();
  const changed = (key: ServiceKey): void => {
    endings?.look(key);
    listeners.forEach((listener) => listener(key));
  };
  const view = openClusterView({
    api,
    clusterId: context.clusterId,
    warn,
    changed,
    // What a project has once is put right with any of its services.
    spaceChanged: (namespace) => {
      const key = states.someIn(namespace);
      if (key !== undefined) changed(key);
    },
    frozen: (resource) => options.frozen?.(resource),
    silentMaxMs: options.silentMaxMs,
  });
  const states = serviceStates(view, nowMs);
  const endings =
    options.logs &&
    tellEndings({
      view,
      serviceOf: (key) => states.get(key)?.service,
      sink: options.logs.sink,
      store: options.logs.told,
      warn,
    });
  const apply = applier({ api, view });
  const deleteObject = deleter(api);
  const projects = projectApplies({ api, view, context, apply });
  const endOvertaken = overtakenRuns(api, view, nowMs);
  const applyService = serviceApplies({ deleteObject, view, context, states, projects, apply, endOvertaken });
  const removeService = serviceRemovals({
    api,
    deleteObject,
    view,
    states,
    clusterId: context.clusterId,
    warn,
  });
  const usage = usageMeter(api, view);
  const runningPods = podMeter(view, ({ namespace, name, key }) =>
    warn(
      `the pod ${namespace}/${name} is not billed: its labels do not say whose it is, or of which tier; somebody changed them, and once it is deleted another takes its place`,
      key,
    ),
  );
  const crons = cronRunsOf({
    api,
    view,
    nowMs,
    services: () => [...states.all()].map(({ service }) => service),
  });
  const clusterMemory = applyMemory();
  let [awayToldMs, awayTimes] = [Number.NEGATIVE_INFINITY, 0];
  let version: string | null = null;
  const asking = api.version().then(
    (told) => void (version = told),
    () => undefined,
  );
  await Promise.race([asking, new Promise((resolve) => setTimeout(resolve, versionWithinMs).unref())]);

  /** A server that is away is nobody's fault in particular: it is told once a minute, and every key waits. */
  const patiently = async (work: () => Promise<Again>): Promise<Again> => {
    try {
      const again = await work();
      awayTimes = 0;
      return again;
    } catch (error) {
      const isAway = error instanceof ServerAway || isKubeError(error, 0, 429, 502, 503, 504);
      if (!isAway) throw error;
      awayTimes = Math.min(awayTimes + 1, 20);
      if (performance.now() - awayToldMs > awayToldEveryMs) {
        awayToldMs = performance.now();
        warn(`what runs stays as it is, and what is decided waits: ${error.message}`);
      }
      const askedMs = error instanceof ServerAway ? error.waitMs : 0;
      return { inMs: Math.max(askedMs, backoffMs(awayBackoff, awayTimes)) };
    }
  };

  const notRead = (): string =>
    `the cluster has not been read to its end yet: ${view.informers
      .filter(({ isSynced }) => !isSynced)
      .map(({ resource }) => resource)
      .join(", ")}`;
  /** Half of the time after which the watch counts as frozen: even a quiet cluster is heard of each minute. */
  const podsSilentMaxMs = (options.silentMaxMs ?? 300_000) / 2;
  /** What is metered must be known; what cannot be known within this time is not waited for. */
  const known = async (signal?: AbortSignal): Promise<boolean> => {
    const answered = new AbortController();
    const waiting = AbortSignal.any([answered.signal, ...(signal ? [signal] : [])]);
    await Promise.race([view.synced(), pause(syncWithinMs, waiting)]);
    answered.abort();
    return view.isSynced;
  };

  return {
    runtime: "kubernetes",
    get kubernetesVersion() {
      return version;
    },
    capabilities: [
      "web",
      "worker",
      "cron",
      "memory-limit",
      "cpu-limit",
      "network-isolation",
      "autoscaling",
      "volumes",
    ],
    wanted: (services) => projects.wantOnly(services),
    apply(service: DesiredService, documentVersion, signal) {
      const state = states.want(service, documentVersion);
      projects.want(service);
      endings?.look(state.key);
      return patiently(() => applyService(state, signal));
    },
    async watch(service, documentVersion) {
      states.watch(service, documentVersion);
      // What its project has for it must not go with what is applied for the others.
      projects.want(service);
      endings?.look(keyOf(service));
      return undefined;
    },
    remove(key, signal) {
      const state = states.get(key);
      if (state) projects.unwant(state.service);
      return patiently(() => removeService(key, signal));
    },
    configure: (config, signal) =>
      patiently(async () => {
        if (!view.isSynced) return { inMs: 300 };
        const { problems } = await apply(
          {
            steps: clusterManifests(config, context),
            find: (ref) => view.space(undefined)?.objects.get(ref),
            wasReady: () => true,
            memory: clusterMemory,
          },
          signal,
        );
        const [problem] = problems.values();
        if (problem) throw new Error(`what the cluster has once could not be applied: ${problem.sentence}`);
        return undefined;
      }),
    observe(key) {
      const state = states.get(key);
      if (!state) return undefined;
      const { namespace } = state.service;
      // What all services of a project share is told once.
      const shared = states.someIn(namespace) === key ? projects.drift(namespace) : [];
      const drift = [...state.memory.drift, ...shared];
      const isCron = state.service.service_type === "cron";
      const report = isCron
        ? { ...states.report(state), ...runsKnown(crons.known(state.service)) }
        : states.report(state);
      return drift.length > 0 ? { ...report, drift: drift.map(copyOf) } : report;
    },
    async inventory(signal) {
      if (!(await known(signal))) return [];
      return [...view.places()]
        .filter(([, { objects }]) => [...objects.values()].some(isInventoryOf))
        .map(([key]) => key);
    },
    async runningPods(signal) {
      if (!(await known(signal))) throw new Error(notRead());
      const silentMs = Date.now() - (view.podsHeardAtMs ?? 0);
      if (silentMs > podsSilentMaxMs)
        throw new Error(`nothing was heard of its pods for ${Math.round(silentMs / 1_000)} s`);
      return runningPods(nowMs());
    },
    usage,
    async capacity(signal) {
      if (!(await known(signal))) throw new Error(notRead());
      return capacityOf(view);
    },
    cronRuns: () => crons.pending(),
    cronRunsTaken: (runs) => crons.taken(runs),
    informers: () => view.informers,
    notReady: () => (view.isSynced ? undefined : notRead()),
    onChange(listener) {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
    async [Symbol.asyncDispose]() {
      listeners.clear();
      await endings?.[Symbol.asyncDispose]();
      await view[Symbol.asyncDispose]();
      await api[Symbol.asyncDispose]();
    },
  };
}

const copyOf = (drift: Drift) => ({ ...drift, fields: [...drift.fields] });
