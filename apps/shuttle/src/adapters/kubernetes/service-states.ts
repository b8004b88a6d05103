import type { DesiredService, StatusReport } from "@starform/contract/clusters";
import { scheduleFault } from "../../core/cron-schedule.ts";
import { keyOf, type ServiceKey } from "../../core/service-key.ts";
import { applyMemory, type ApplyMemory } from "./apply/applier.ts";
import { cronJobOf } from "./cron-runs.ts";
import type { ManifestStep } from "./manifests/manifest.ts";
import { rolloutOf, type Rollout } from "./observe/rollout.ts";
import { runTrouble } from "./observe/run-trouble.ts";
import type { ClusterView } from "./view/cluster-view.ts";

export type Problem = { readonly sentence: string; readonly isFinal: boolean };

/** What this process knows of a wanted service besides what the cluster says. */
export type ServiceState = {
  readonly key: ServiceKey;
  service: DesiredService;
  version: number;
  readonly memory: ApplyMemory;
  /** Why the last apply was not complete. */
  problem: Problem | undefined;
  /** Applies in a row that were not complete. */
  fails: number;
  failed: Rollout["failed"];
  /** The steps made last, of this service and template. */
  made:
    | { readonly service: DesiredService; readonly of: string; readonly steps: readonly ManifestStep[] }
    | undefined;
  /** What there is nothing to do for. */
  settled: { readonly service: DesiredService; readonly revision: number } | undefined;
  seen:
    | {
        readonly at: number;
        readonly service: DesiredService;
        readonly problem: Problem | undefined;
        readonly rollout: Rollout;
      }
    | undefined;
  /** What was told last: the same object for as long as it is the same report. */
  reported: { readonly of: StatusReport; readonly report: StatusReport } | undefined;
};

export type ServiceStates = ReturnType<typeof serviceStates>;

/** The services that are wanted, and what is to be reported of each. */
export function serviceStates(view: ClusterView, nowMs: () => number) {
  const states = new Map<ServiceKey, ServiceState>();
  const namespaces = new Map<string, Set<ServiceKey>>();
  const settle = (key: ServiceKey, namespace: string): void =>
    void namespaces.set(namespace, (namespaces.get(namespace) ?? new Set()).add(key));
  const leave = (key: ServiceKey, namespace: string): void => {
    const keys = namespaces.get(namespace);
    if (keys?.delete(key) && keys.size === 0) namespaces.delete(namespace);
  };

  /** Looked at anew when anything was seen of the place, or when time may have changed it. */
  const look = (state: ServiceState): Rollout => {
    const place = view.place(state.key);
    const { seen, service, problem } = state;
    const at = place?.seen ?? 0;
    const isSame = seen?.at === at && seen.service === service && seen.problem === problem;
    if (isSame && seen.rollout.lookAgainMs === undefined) return seen.rollout;
    const rollout = rolloutOf({
      service,
      version: state.version,
      place,
      eventsOf: view.eventsOf,
      neighbours: () => view.podsIn(service.namespace),
      problem,
      failed: state.failed,
      nowMs: nowMs(),
    });
    state.failed = rollout.failed;
    state.seen = { at, service, problem, rollout };
    return rollout;
  };
  return {
    get: (key: ServiceKey): ServiceState | undefined => states.get(key),
    all: (): Iterable<ServiceState> => states.values(),
    /** One of the services of a namespace, whichever. */
    someIn(namespace: string | undefined): ServiceKey | undefined {
      const [first] = namespaces.get(namespace ?? "") ?? [];
      return first;
    },
    want(service: DesiredService, version: number): ServiceState {
      const key = keyOf(service);
      const known = states.get(key);
      if (known && known.service.namespace !== service.namespace) leave(key, known.service.namespace);
      settle(key, service.namespace);
      if (known) return Object.assign(known, { service, version });
      const state = freshState(service, version);
      states.set(key, state);
      return state;
    },
    /** Knows it as it was wanted last, or else like this, to look at only: it stands for its namespace in nothing. */
    watch(service: DesiredService, version: number): void {
      const key = keyOf(service);
      if (!states.has(key)) states.set(key, freshState(service, version));
    },
    forget(key: ServiceKey): void {
      const known = states.get(key);
      if (known) leave(key, known.service.namespace);
      states.delete(key);
    },
    look,
    /** The same object as the last time, unless there is something else to tell. */
    report(state: ServiceState): StatusReport {
      if (state.service.service_type === "cron") return cronReport(view, state);
      const { report } = look(state);
      if (state.reported?.of !== report || state.reported.report.observed_version !== state.version)
        state.reported = { of: report, report: { ...report, observed_version: state.version } };
      return state.reported.report;
    },
  };
}

const freshState = (service: DesiredService, version: number): ServiceState => ({
  key: keyOf(service),
  service,
  version,
  memory: applyMemory(),
  problem: undefined,
  fails: 0,
  failed: undefined,
  made: undefined,
  settled: undefined,
  seen: undefined,
  reported: undefined,
});

/**
 * A cron is well while nothing keeps its runs from beginning. One that cannot begin fails the version if trying again will
 * not help, and only as a run of that version: what an older one waits for says nothing of this one.
 */
function cronReport(view: ClusterView, { key, service, version, problem }: ServiceState): StatusReport {
  const deploymentId = service.provenance.deployment_id;
  const fault = scheduleFault(service.schedule) ?? (problem?.isFinal ? problem.sentence : undefined);
  const run = [...(view.place(key)?.jobs.values() ?? [])]
    .filter((job) => job.deploymentId === deploymentId)
    .map((job) => runTrouble(view, service, job))
    .find((trouble) => trouble !== undefined);
  const isApplied = cronJobOf(service, view.place(key))?.deploymentId === deploymentId;
  const failure = fault ?? (run?.isFinal ? run.sentence : undefined);
  return {
    service_id: service.service_id,
    environment: service.environment,
    deployment_id: deploymentId,
    observed_version: version,
    phase: failure ? "failed" : problem || !isApplied ? "starting" : run ? "degraded" : "scheduled",
    ready_replicas: 0,
    desired_replicas: 0,
    restarts: 0,
    reason: failure ?? problem?.sentence ?? run?.sentence ?? null,
    serving_deployment_id: failure || problem || !isApplied ? null : deploymentId,
  };
}
