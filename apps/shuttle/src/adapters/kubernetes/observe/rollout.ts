import type { DesiredService, StatusReport } from "@starform/contract/clusters";
import { phaseOf } from "../../../core/phase.ts";
import { reasonOfHeldVolume, reasonOfTimeout } from "../../../core/reasons.ts";
import { instanceChecksum } from "../../../core/service-checksum.ts";
import { isAutoscaled } from "../manifests/horizontal-pod-autoscaler.ts";
import { refTo } from "../manifests/manifest.ts";
import { workloadName } from "../manifests/names.ts";
import { mainPort } from "../manifests/ports.ts";
import type { Place } from "../view/cluster-view.ts";
import type { EventView } from "../view/event-view.ts";
import type { PodView } from "../view/pod-view.ts";
import type { DeploymentView } from "../view/workload-views.ts";
import { evictionOf } from "./eviction-words.ts";
import { answersOf, podTrouble, type PodTrouble } from "./pod-trouble.ts";
import { refusedPodWords } from "./refused-pods.ts";

export type Seen = {
  readonly service: DesiredService;
  readonly version: number;
  readonly place: Place | undefined;
  readonly eventsOf: (uid: string) => readonly EventView[];
  /** Pods of the whole project. */
  readonly neighbours: () => Iterable<PodView>;
  /** Why the service could not be applied; `isFinal` if it will not be until something else is wanted. */
  readonly problem: { readonly sentence: string; readonly isFinal: boolean } | undefined;
  /** A version that was told to have failed, and why. */
  readonly failed:
    | {
        readonly checksum: string;
        readonly reason: string;
        readonly lastLines?: readonly string[] | undefined;
      }
    | undefined;
  readonly nowMs: number;
};
export type Rollout = {
  readonly report: StatusReport;
  readonly failed: Seen["failed"];
  /** When time alone may change what is reported. */
  readonly lookAgainMs: number | undefined;
};

/** What is true of a service that runs all the time, from what the informers hold. */
export function rolloutOf(seen: Seen): Rollout {
  const { service, place } = seen;
  const checksum = instanceChecksum(service);
  const deployment = deploymentOf(service, place);
  const all = [...(place?.pods.values() ?? [])];
  const pods = all.filter(({ isGoing, isOver }) => !isGoing && !isOver);
  const own = pods.filter((pod) => pod.checksum === checksum);
  const [ready, readyOthers] = [
    own.filter(isReady),
    pods.filter((pod) => isReady(pod) && pod.checksum !== checksum),
  ];
  const desired = isAutoscaled(service) ? (deployment?.replicas ?? service.replicas) : service.replicas;
  const isProven = deployment !== undefined && isRolledOut(deployment, checksum);
  const troublesOf = (some: readonly PodView[]) =>
    some.flatMap((pod) => podTrouble(pod, service, seen.eventsOf(pod.uid)) ?? []);
  const known = troublesOf(own);
  const told = known.filter(({ toldFromMs = 0 }) => toldFromMs <= seen.nowMs);
  const blocked = [...heldUp(service, all), ...told];
  const troubles = blocked.length > 0 ? blocked : troublesOf(lastPutOut(all, checksum, seen));
  const late = isProven ? undefined : lateness(own, seen);
  const refused = refusedPods(seen, deployment, checksum);
  const worst = worstOf([
    ...troubles,
    ...(refused ? [refused] : []),
    ...(late?.trouble ? [late.trouble] : []),
  ]);
  const failure = isProven || ready.length > 0 ? undefined : failureOf(seen, deployment, checksum, worst);
  const isReachable = hasRoutes(service, place);
  const phase =
    !isReachable && failure === undefined && desired > 0
      ? "starting"
      : phaseOf({
          replicas: desired,
          ready: ready.length,
          readyOthers: readyOthers.length,
          isProven,
          hasFailed: failure !== undefined,
          crashed: troubles.filter(({ kind }) => kind === "crash").length,
        });
  const isWell = phase === "running" || phase === "stopped";
  const deploymentId = service.provenance.deployment_id;
  const reason = failure ?? seen.problem?.sentence ?? (isWell ? null : (worst?.sentence ?? null));
  // They stand with the reason that they are of, also while the pod that said them is gone.
  const sources = [worst && { reason: worst.sentence, ...worst }, seen.failed];
  const lastLines = sources.find((each) => each?.reason === reason)?.lastLines ?? [];
  return {
    failed: failure === undefined ? undefined : { checksum, reason: failure, lastLines },
    lookAgainMs: failure
      ? undefined
      : soonest([late?.inMs, ...known.map(({ toldFromMs = 0 }) => toldFromMs - seen.nowMs)]),
    report: {
      service_id: service.service_id,
      environment: service.environment,
      deployment_id: deploymentId,
      observed_version: seen.version,
      phase,
      ready_replicas: ready.length,
      desired_replicas: desired,
      restarts: own.reduce((sum, { restarts }) => sum + restarts, 0),
      reason,
      ...(lastLines.length > 0 ? { last_lines: [...lastLines] } : {}),
      serving_deployment_id:
        desired === 0
          ? deploymentId
          : isReachable
            ? (ready[0]?.deploymentId ?? readyOthers[0]?.deploymentId ?? null)
            : null,
    },
  };
}

/** For so long it is said why an instance had to be replaced that its node put out. */
const putOutToldMs = 300_000;

/** The one that its node put out last: the instance in its place cannot say why it had to begin. */
const lastPutOut = (
  pods: readonly PodView[],
  checksum: string,
  { eventsOf, nowMs }: Seen,
): readonly PodView[] =>
  pods
    .filter((pod) => pod.isOver && !pod.isGoing && pod.checksum === checksum)
    .filter(({ unreadySinceMs = 0 }) => unreadySinceMs > nowMs - putOutToldMs)
    .filter((pod) => evictionOf(pod, eventsOf(pod.uid)) !== undefined)
    .toSorted((a, b) => (b.unreadySinceMs ?? 0) - (a.unreadySinceMs ?? 0))
    .slice(0, 1);

/** A volume is in one place only: none begins before the one that has it has ended. */
const heldUp = ({ volumes }: DesiredService, pods: readonly PodView[]): readonly PodTrouble[] =>
  volumes.length > 0 && pods.some(({ isGoing, isCutOff }) => isGoing && isCutOff)
    ? [{ kind: "start", isFinal: false, sentence: reasonOfHeldVolume() }]
    : [];

/** Of what is still to come. */
const soonest = (inMs: readonly (number | undefined)[]): number | undefined => {
  const toCome = inMs.filter((each = 0): each is number => each > 0);
  return toCome.length > 0 ? Math.min(...toCome) : undefined;
};

/** An app at an address that nobody can reach yet does not serve: on its first deployment the route comes after it. */
const hasRoutes = (service: DesiredService, place: Place | undefined): boolean =>
  service.service_type !== "web" ||
  (service.hostname === null && service.hostnames.length === 0) ||
  [...(place?.objects.values() ?? [])].some(({ kind }) => kind === "HTTPRoute");

const isReady = (pod: PodView): boolean => pod.isReady;

export const deploymentOf = (service: DesiredService, place: Place | undefined): DeploymentView | undefined =>
  place?.objects.get(refTo("Deployment", service.namespace, workloadName(service))) as
    | DeploymentView
    | undefined;

/** Whether the whole of what is wanted has been ready: the controller says so, of the template it has now. */
export function isRolledOut(deployment: DeploymentView, checksum: string): boolean {
  if (deployment.template?.instanceChecksum !== checksum) return false;
  if (deployment.observedGeneration < deployment.generation) return false;
  return deployment.conditions.some(
    ({ type, reason, status }) =>
      type === "Progressing" && status === "True" && reason === "NewReplicaSetAvailable",
  );
}

/** Pods that the cluster refuses to make. Their ReplicaSet knows why; the Deployment repeats it. */
function refusedPods(
  seen: Seen,
  deployment: DeploymentView | undefined,
  checksum: string,
): PodTrouble | undefined {
  const sets = [...(seen.place?.replicaSets.values() ?? [])].filter((set) => set.checksum === checksum);
  const holders =
    sets.length > 0 ? sets : deployment?.template?.instanceChecksum === checksum ? [deployment] : [];
  const failure = holders
    .flatMap(({ conditions }) => conditions)
    .find(({ type, status }) => type === "ReplicaFailure" && status === "True");
  return failure && { ...refusedPodWords(failure.message, seen.neighbours()), kind: "start" };
}

/** An app that runs and is not ready, longer than it said it would take. The kubelet minds a startup probe itself. */
function lateness(
  own: readonly PodView[],
  { service, nowMs, eventsOf }: Seen,
): { readonly trouble: PodTrouble | undefined; readonly inMs: number | undefined } | undefined {
  const { startup, readiness } = service.probes;
  const running = own.filter(({ startedAtMs }) => startedAtMs !== undefined);
  if (readiness.kind === "none" || running.length === 0 || own.some(isReady)) return undefined;
  const seconds = readiness.timeout_seconds + (startup.kind === "none" ? 0 : startup.timeout_seconds);
  const longestMs = Math.max(...running.map(({ startedAtMs = nowMs }) => nowMs - startedAtMs));
  const leftMs = seconds * 1_000 - longestMs;
  if (leftMs > 0) return { trouble: undefined, inMs: leftMs + 100 };
  const answers = running.map(({ uid }) => answersOf(service, eventsOf(uid)).get("Readiness"));
  const answer = answers.find((each) => each !== undefined && each.answer !== "silence")?.answer;
  const sentence = reasonOfTimeout(seconds * 1_000, mainPort(service) ?? null, undefined, answer);
  return { trouble: { kind: "start", sentence, isFinal: true }, inMs: undefined };
}

/** Final ones first, then those of a crash: what ended says more than what has not begun. */
const worstOf = (troubles: readonly PodTrouble[]): PodTrouble | undefined =>
  troubles.toSorted(
    (a, b) =>
      Number(b.isFinal) - Number(a.isFinal) || Number(b.kind === "crash") - Number(a.kind === "crash"),
  )[0];

/** Why a version that never served counts as failed; once told, it stays so until it serves after all. */
function failureOf(
  seen: Seen,
  deployment: DeploymentView | undefined,
  checksum: string,
  worst: PodTrouble | undefined,
): string | undefined {
  if (seen.problem?.isFinal) return seen.problem.sentence;
  if (seen.service.replicas === 0) return undefined;
  if (worst?.isFinal) return worst.sentence;
  const isOverdue =
    deployment?.template?.instanceChecksum === checksum &&
    deployment.observedGeneration >= deployment.generation &&
    deployment.conditions.some(
      ({ type, reason }) => type === "Progressing" && reason === "ProgressDeadlineExceeded",
    );
  if (isOverdue)
    return worst?.sentence ?? "it did not become ready in time, and the cluster does not say why";
  return seen.failed?.checksum === checksum ? seen.failed.reason : undefined;
}
