import { backoffMs } from "@starform/std/retry";
import type { Again } from "../../core/cluster.ts";
import { scheduleFault } from "../../core/cron-schedule.ts";
import { instanceChecksum } from "../../core/service-checksum.ts";
import type { Applied, applier } from "./apply/applier.ts";
import { surplusOf, type Deleter } from "./apply/collect.ts";
import { refsOf, serviceInventory } from "./apply/inventory.ts";
import type { ProjectApplies } from "./apply/projects.ts";
import type { Refusal } from "./apply/refusals.ts";
import type { ManifestContext } from "./manifests/context.ts";
import type { ManifestRef, ManifestStep } from "./manifests/manifest.ts";
import type { RunningTemplate } from "./manifests/running-template.ts";
import { manifestsOf } from "./manifests/service-manifests.ts";
import type { overtakenRuns } from "./end-overtaken-runs.ts";
import { deploymentOf, isRolledOut } from "./observe/rollout.ts";
import type { Problem, ServiceState, ServiceStates } from "./service-states.ts";
import type { ClusterView, Place } from "./view/cluster-view.ts";
import type { DeploymentView } from "./view/workload-views.ts";

type Deps = {
  readonly deleteObject: Deleter;
  readonly view: ClusterView;
  readonly context: ManifestContext;
  readonly states: ServiceStates;
  readonly projects: ProjectApplies;
  readonly apply: ReturnType<typeof applier>;
  readonly endOvertaken: ReturnType<typeof overtakenRuns>;
};

/** While the caches are being filled, nothing is known and nothing is done. */
const notSynced: Again = { inMs: 300 };
const backoff = { firstMs: 500, maxMs: 60_000 };

/**
 * Brings one service to what it should be. With nothing to do it costs a comparison of three numbers: what is wanted and
 * what was seen are the same as when there was nothing to do before.
 */
export function serviceApplies({ deleteObject, view, context, states, projects, apply, endOvertaken }: Deps) {
  const isSettled = ({ settled, service, key }: ServiceState): boolean =>
    settled?.service === service &&
    settled.revision === view.place(key)?.revision &&
    projects.isSettled(service.namespace);

  async function applyAll(state: ServiceState, signal: AbortSignal): Promise<Problem | undefined> {
    const { service, key } = state;
    const revision = view.place(key)?.revision;
    const fault = service.service_type === "cron" ? scheduleFault(service.schedule) : undefined;
    if (fault) return { sentence: fault, isFinal: true };
    const project = await projects.apply(service, signal);
    if (typeof project === "string") return { sentence: project, isFinal: true };
    const problem = firstProblem(project);
    if (problem) return problem;
    const steps = stepsOf(state);
    const applied = await applySteps(state, steps, signal);
    const collected = applied.problems.size === 0 ? await collect(state, refsOf(steps), signal) : 0;
    const isDone =
      applied.writes + collected === 0 && applied.problems.size === 0 && applied.waiting.length === 0;
    state.settled = isDone && revision !== undefined ? { service, revision } : undefined;
    if (state.settled) state.made = undefined;
    return firstProblem(applied);
  }

  const stepsOf = (state: ServiceState) => {
    const { service, key } = state;
    const place = view.place(key);
    const made = madeOf(state, templateToKeep(service, place));
    const wanted = made.map(({ manifest }) => manifest);
    return [serviceInventory(service, context, { wanted, objects: place?.objects ?? new Map() }), ...made];
  };
  /** Kept until there is nothing to do: a thousand services' manifests would be more than all else that is known. */
  const madeOf = (state: ServiceState, template: RunningTemplate | undefined) => {
    const { service, made } = state;
    const of = JSON.stringify(template ?? null);
    if (made?.service === service && made.of === of) return made.steps;
    const steps = manifestsOf(service, context, template);
    state.made = { service, of, steps };
    return steps;
  };
  const applySteps = (
    state: ServiceState,
    steps: readonly ManifestStep[],
    signal: AbortSignal,
  ): Promise<Applied> =>
    apply(
      {
        steps,
        find: (ref) =>
          view.place(state.key)?.objects.get(ref) ?? view.space(state.service.namespace)?.objects.get(ref),
        wasReady: (ref) => wasReadyOnce(ref, state, view.place(state.key)),
        memory: state.memory,
      },
      signal,
    );
  const collect = async (
    state: ServiceState,
    wanted: ReadonlySet<ManifestRef>,
    signal: AbortSignal,
  ): Promise<number> => {
    const place = view.place(state.key);
    const surplus = place ? surplusOf(place, wanted) : [];
    for (const object of surplus) {
      await deleteObject(object, signal);
      // Nobody else did: should it be wanted again, that it is not there is no change by hand.
      state.memory.applied.delete(object.ref);
    }
    return surplus.length;
  };

  /** What is left to do where all is applied. */
  const rest = async (state: ServiceState, signal: AbortSignal): Promise<Again> => {
    if (state.service.service_type === "cron") await endOvertaken(state, signal);
    return lookAgain(states, state);
  };

  return async (state: ServiceState, signal: AbortSignal): Promise<Again> => {
    if (!view.isSynced) return notSynced;
    if (isSettled(state)) return rest(state, signal);
    const problem = await applyAll(state, signal);
    const isNews = problem !== undefined && problem.sentence !== state.problem?.sentence;
    if (problem?.sentence !== state.problem?.sentence || problem?.isFinal !== state.problem?.isFinal)
      state.problem = problem;
    state.fails = problem ? state.fails + 1 : 0;
    // Told once as an error, to be logged and counted; from then on it is a matter of the report.
    if (isNews) throw new Error(problem.sentence);
    if (problem) return { inMs: backoffMs(backoff, state.fails) };
    return rest(state, signal);
  };
}

/** What only time changes is looked at in time. */
function lookAgain(states: ServiceStates, state: ServiceState): Again {
  if (state.service.service_type === "cron") return undefined;
  const { lookAgainMs } = states.look(state);
  return lookAgainMs === undefined ? undefined : { inMs: lookAgainMs };
}

/** The refusal that the others follow from: those that are only blocked have no sentence. */
function firstProblem({ problems }: Applied): Problem | undefined {
  const told = [...problems.values()].filter(
    (each): each is Exclude<Refusal, { kind: "away" }> => each.sentence !== "",
  );
  const worst = told.find(({ kind }) => kind === "final") ?? told[0];
  return worst && { sentence: worst.sentence, isFinal: worst.kind === "final" };
}

/**
 * The template whose name and drain time are kept: that of the Deployment if it is of the wanted version, else that of a
 * kept ReplicaSet which is. With it the template is the same byte for byte, and the ReplicaSet with the pods it still has
 * is taken up again instead of a new one.
 */
function templateToKeep(
  service: ServiceState["service"],
  place: Place | undefined,
): RunningTemplate | undefined {
  const checksum = instanceChecksum(service);
  const running = deploymentOf(service, place)?.template;
  if (running?.instanceChecksum === checksum) return running;
  const kept = [...(place?.replicaSets.values() ?? [])].find(
    (set) => set.template?.instanceChecksum === checksum,
  );
  return kept?.template ?? running;
}

function wasReadyOnce(ref: ManifestRef, { service }: ServiceState, place: Place | undefined): boolean {
  const deployment = place?.objects.get(ref) as DeploymentView | undefined;
  if (!deployment) return false;
  return deployment.readyReplicas > 0 || isRolledOut(deployment, instanceChecksum(service));
}
