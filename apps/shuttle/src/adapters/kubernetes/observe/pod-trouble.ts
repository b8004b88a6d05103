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
import type { EventView } from "../view/event-view.ts";
import type { PodView } from "../view/pod-view.ts";
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
  const ending = pod.ending && endingTrouble(pod, service, answers);
  if (ending) return ending;
  const mount = events.find(({ reason }) => reason === "FailedMount" || reason === "FailedAttachVolume");
  if (mount && pod.startedAtMs === undefined)
    return start(`its volume cannot be mounted: ${shorten(mount.message)}`, false);
  const answer = answers.get("Startup") ?? answers.get("Readiness");
  if (!answer) return undefined;
  const trouble = start(`not ready yet: ${sayAnswer(answer, service)}`, false);
  const isSilent = answer.answer === "silence" && pod.startedAtMs !== undefined;
  return isSilent ? { ...trouble, toldFromMs: pod.startedAtMs + listensWithinMs } : trouble;
}

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

/** A container that ended: by itself, or by the kubelet because a probe failed for too long. */
export function endingTrouble(
  pod: PodView,
  service: DesiredService,
  answers: ReadonlyMap<ProbeKind, ProbeAnswer>,
  isInLog = false,
): PodTrouble | undefined {
  const { ending } = pod;
  if (!ending) return undefined;
  const wasTold = ending.exitCode === 143 || ending.exitCode === 137 || ending.exitCode === 0;
  const isOom = ending.reason === "OOMKilled";
  const startup = answers.get("Startup");
  if (startup && wasTold && !isOom && pod.restarts > 0) {
    const answer = startup.answer === "silence" ? undefined : startup.answer;
    const timeoutMs = service.probes.startup.timeout_seconds * 1_000;
    const sentence = reasonOfTimeout(timeoutMs, mainPort(service) ?? null, undefined, answer);
    return { kind: "crash", isFinal: true, sentence };
  }
  const liveness = answers.get("Liveness");
  if (liveness && wasTold && !isOom)
    return {
      kind: "crash",
      isFinal: false,
      sentence: reasonOfLiveness(livenessFails, sayAnswer(liveness, service)),
    };
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
