import type { DesiredService, StatusReport } from "@starform/contract/clusters";
import { scheduleFault } from "../../core/cron-schedule.ts";
import { keyOf, type ServiceKey } from "../../core/service-key.ts";
import { applyMemory, type ApplyMemory } from "./apply/applier.ts";
import type { ManifestStep } from "./manifests/manifest.ts";
import { rolloutOf, type Rollout } from "./observe/rollout.ts";
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
};

export type ServiceStates = ReturnType<typeof serviceStates>;

/** The services that are wanted, and what is to be reported of each. */
export function serviceStates(view: ClusterView, nowMs: () => number) {
  const states = new Map<ServiceKey, ServiceState>();

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
      neighbours: () => inNamespace(view, service.namespace),
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
      for (const { key, service } of states.values()) if (service.namespace === namespace) return key;
      return undefined;
    },
    want(service: DesiredService, version: number): ServiceState {
      const key = keyOf(service);
      const known = states.get(key);
      if (known) return Object.assign(known, { service, version });
      const state: ServiceState = {
        key,
        service,
        version,
        memory: applyMemory(),
        problem: undefined,
        fails: 0,
        failed: undefined,
        made: undefined,
        settled: undefined,
        seen: undefined,
      };
      states.set(key, state);
      return state;
    },
    forget: (key: ServiceKey): void => void states.delete(key),
    look,
    report(state: ServiceState): StatusReport {
      if (state.service.service_type === "cron") return cronReport(state);
      return { ...look(state).report, observed_version: state.version };
    },
  };
}

function* inNamespace(view: ClusterView, namespace: string) {
  for (const pod of view.pods()) if (pod.namespace === namespace) yield pod;
}

function cronReport({ service, version, problem }: ServiceState): StatusReport {
  const fault = scheduleFault(service.schedule) ?? (problem?.isFinal ? problem.sentence : undefined);
  return {
    service_id: service.service_id,
    environment: service.environment,
    deployment_id: service.provenance.deployment_id,
    observed_version: version,
    phase: fault ? "failed" : problem ? "starting" : "scheduled",
    ready_replicas: 0,
    desired_replicas: 0,
    restarts: 0,
    reason: fault ?? problem?.sentence ?? null,
    serving_deployment_id: fault || problem ? null : service.provenance.deployment_id,
  };
}
