import type { DesiredService } from "@starform/contract/clusters";
import { lastLinesOf } from "../../../core/last-lines.ts";
import {
  hintOfDenial,
  reasonOfEnding,
  reasonOfLiveness,
  reasonOfLostNode,
  reasonOfTimeout,
} from "../../../core/reasons.ts";
import { shorten } from "../../../core/shorten.ts";
import { mainPort } from "../manifests/ports.ts";
import { probeFailed, type EventView } from "../view/event-view.ts";
import type { PodEnding, PodView } from "../view/pod-view.ts";
import { waitingWords, type Trouble } from "./image-words.ts";
import { isDenialOfFile } from "./denial-words.ts";
import { evictionOf, evictionWords } from "./eviction-words.ts";
import { placementWords } from "./placement-words.ts";
import { probeAnswerOf, type ProbeAnswer, type ProbeKind } from "./probe-words.ts";

/** `crash`: it ended, or was ended for not being well. `start`: it has not come so far. */
export type PodTrouble = Trouble & {
  readonly kind: "crash" | "start";
  /** Of one that ended by itself: the end of what it said. */
  readonly lastLines?: readonly string[];
  /** Until then it is no more than a start that takes its time. */
  readonly toldFromMs?: number;
};

/** A new version has this many tries before it counts as failed. */
const triesMax = 3;
/** The kubelet ends a pod that fails this many liveness probes in a row (probes.ts). */
const livenessFails = 3;

/** So long after its container began, a port on which nothing listens is a reason: before, kubelets ask too early. */
const listensWithinMs = 10_000;

/** What keeps a pod from serving, as far as it can be known; undefined for one that is well or on its way. */
export function podTrouble(
  pod: PodView,
  service: DesiredService,
  events: readonly EventView[],
): PodTrouble | undefined {
  if (pod.isReady) return undefined;
  const eviction = evictionOf(pod, events);
  if (eviction !== undefined) return { kind: "crash", isFinal: false, sentence: evictionWords(eviction) };
  if (pod.isCutOff) return start(reasonOfLostNode(), false);
  if (pod.unschedulable !== undefined) return start(placementWords(pod.unschedulable), false);
  // One that could not be started waits for it, and between two tries has ended by it.
  for (const told of [pod.waiting, pod.ending]) {
    const unstarted = told && waitingWords(told, { image: pod.image, command: service.command });
    if (unstarted) return { ...unstarted, kind: "start" };
  }
  const answers = answersOf(service, events);
  const ending = pod.ending && endingTrouble(pod, service, events);
  if (ending) return ending;
  const mount = events.find(({ reason }) => reason === "FailedMount" || reason === "FailedAttachVolume");
  if (mount && pod.startedAtMs === undefined)
    return start(`its volume cannot be mounted: ${shorten(mount.message)}`, false);
  const answer = [answers.get("Startup"), answers.get("Readiness")].find(
    (each) => each && isOfNow(each, pod),
  );
  if (!answer) return undefined;
  const trouble = start(`not ready yet: ${sayAnswer(answer, service)}`, false);
  const isSilent = answer.answer === "silence" && pod.startedAtMs !== undefined;
  return isSilent ? { ...trouble, toldFromMs: pod.startedAtMs + listensWithinMs } : trouble;
}

/** An event is kept for an hour: of one that was ready meanwhile, it may be of its start. */
const isOfNow = ({ atMs }: ProbeAnswer, { unreadySinceMs = 0 }: PodView): boolean =>
  atMs >= unreadySinceMs - eventLagMs;
const eventLagMs = 10_000;

const start = (sentence: string, isFinal: boolean): PodTrouble => ({ sentence, isFinal, kind: "start" });

/** What the kubelet's probes of a pod got last, of each kind that failed. */
export const answersOf = (
  service: DesiredService,
  events: readonly EventView[],
): ReadonlyMap<ProbeKind, ProbeAnswer> => {
  const paths: Readonly<Record<ProbeKind, string | undefined>> = {
    Startup: service.probes.startup.path,
    Readiness: service.probes.readiness.path,
    Liveness: service.probes.liveness.path,
  };
  const read = events.flatMap((event) => probeAnswerOf(event, (kind) => paths[kind]) ?? []);
  return new Map(read.map((answer) => [answer.kind, answer]));
};

export const sayAnswer = ({ answer }: ProbeAnswer, service: DesiredService): string =>
  answer === "silence"
    ? `nothing listens on port ${mainPort(service) ?? "?"}: listen on the port in PORT`
    : answer;

/** Of each run a kubelet tells four normal things; of a pod 25 at once, and then one in five minutes. */
const runsTold = 5;

/** Which probe the kubelet ended this run for, if it did: it says so before. Of later runs it may not, and it is taken for the same. */
function probeThatEnded(
  { exitCode, endedAtMs = 0, ranForMs }: PodEnding,
  restarts: number,
  events: readonly EventView[],
): "startup" | "liveness" | undefined {
  const killing = events.find(({ reason }) => reason === "Killing");
  if (!killing) return undefined;
  const isOfRun = killing.atMs >= endedAtMs - ranForMs && killing.atMs <= endedAtMs + 1_000;
  const mayBeAgain = restarts >= runsTold && [0, 137, 143].includes(exitCode);
  return isOfRun || mayBeAgain
    ? (probeFailed.exec(killing.message)?.[1] as "startup" | "liveness")
    : undefined;
}

/** A container that ended: by itself, or by the kubelet because a probe failed for too long. */
export function endingTrouble(
  pod: PodView,
  service: DesiredService,
  events: readonly EventView[],
  isInLog = false,
): PodTrouble | undefined {
  const { ending } = pod;
  if (!ending) return undefined;
  const isOom = ending.reason === "OOMKilled";
  const endedBy = isOom ? undefined : probeThatEnded(ending, pod.restarts, events);
  const answers = answersOf(service, events);
  if (endedBy === "startup") {
    const startup = answers.get("Startup");
    const answer = startup?.answer === "silence" ? undefined : startup?.answer;
    const timeoutMs = service.probes.startup.timeout_seconds * 1_000;
    const port = startup ? (mainPort(service) ?? null) : null;
    const sentence = reasonOfTimeout(timeoutMs, port, undefined, answer);
    return { kind: "crash", isFinal: true, sentence };
  }
  if (endedBy === "liveness") {
    const liveness = answers.get("Liveness");
    const said = liveness ? sayAnswer(liveness, service) : "what it answered is not known";
    return { kind: "crash", isFinal: false, sentence: reasonOfLiveness(livenessFails, said) };
  }
  // The kubelet keeps up to 80 lines of a container that failed.
  const lastLines = lastLinesOf(ending.message.split("\n"));
  const sentence = reasonOfEnding(
    { exitCode: ending.exitCode, signal: null, isOom },
    {
      tier: service.tier,
      memoryBytes: service.resources.memory_bytes,
      ranForMs: ending.ranForMs,
      command: service.command ?? "that of the image",
      lastLine: lastLines.at(-1),
      isInLog,
      hint: pod.userId !== undefined && lastLines.some(isDenialOfFile) ? hintOfDenial(pod.userId) : undefined,
    },
  );
  const isUnrunnable = ending.exitCode === 126 || ending.exitCode === 127;
  return { kind: "crash", isFinal: isUnrunnable || pod.restarts + 1 >= triesMax, sentence, lastLines };
}
