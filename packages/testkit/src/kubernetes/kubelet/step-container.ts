import type { EventNote } from "../controllers/record-event.ts";
import { asObject, at, type JsonObject } from "../model/json.ts";
import { timestamp, type Stored } from "../model/object.ts";
import type { PodBehaviour } from "./behaviour.ts";
import type { PodLogs } from "./pod-logs.ts";
import { probeRunning } from "./probe-container.ts";
import { backoffMs, durationText, endOf, healedMs, noticeMs, type Run } from "./run.ts";

export type Stepping = {
  readonly pod: Stored;
  readonly container: JsonObject;
  readonly behaviour: PodBehaviour;
  readonly now: number;
  readonly restartPolicy: unknown;
  /** What the container is made with is missing: a ConfigMap, a Secret, or a key in one. */
  readonly missing: string | undefined;
  readonly logs: PodLogs;
  readonly tell: (note: EventNote) => void;
};

export const podText = ({ metadata }: Stored): string =>
  `${metadata.name}_${metadata.namespace}(${metadata.uid})`;
const nameOf = ({ container }: Stepping): string => String(container["name"]);
const imageOf = ({ container }: Stepping): string => String(container["image"]);
const told = (
  stepping: Stepping,
  reason: string,
  message: string,
  type: "Normal" | "Warning" = "Normal",
): void => stepping.tell({ type, reason, message, fieldPath: `spec.containers{${nameOf(stepping)}}` });

const go = (run: Run, state: Run["state"], now: number, message = ""): true => {
  run.state = state;
  run.since = now;
  run.message = message;
  return true;
};

/** Does the next thing that is due; true when something was done, or the milliseconds until something will be. */
export function stepContainer(run: Run, stepping: Stepping): true | number | undefined {
  const { now, behaviour } = stepping;
  const waited = now - run.since;
  const after = (ms: number, act: () => true): true | number => (waited >= ms ? act() : ms - waited);
  switch (run.state) {
    case "created":
      if (run.isPulled) return start(run, stepping);
      told(stepping, "Pulling", `Pulling image "${imageOf(stepping)}"`);
      return go(run, "pulling", now);
    case "pulling":
      return after(behaviour.pullMs ?? 0, () => pulled(run, stepping));
    case "pull failed":
      return after(noticeMs, () => {
        told(stepping, "BackOff", `Back-off pulling image "${imageOf(stepping)}"`, "Normal");
        told(stepping, "Failed", "Error: ImagePullBackOff", "Warning");
        return go(run, "pull backoff", now, run.message);
      });
    case "pull backoff":
      return after(backoffMs(run.pullFailures), () => go(run, "created", now));
    case "misconfigured":
      return after(noticeMs, () => start(run, stepping));
    case "running":
      return running(run, stepping);
    case "exited":
      return after(noticeMs, () => restart(run, stepping));
    case "crash backoff":
      return after(backoffMs(run.crashes - 1), () => restart(run, stepping));
    default:
      return undefined;
  }
}

function pulled(run: Run, stepping: Stepping): true {
  const { behaviour, now } = stepping;
  const image = imageOf(stepping);
  if (behaviour.pullError === undefined) {
    run.isPulled = true;
    run.pullFailures = 0;
    told(
      stepping,
      "Pulled",
      `Successfully pulled image "${image}" in ${durationText(behaviour.pullMs ?? 0)} (${durationText(behaviour.pullMs ?? 0)} including waiting). Image size: 52428800 bytes.`,
    );
    return start(run, stepping);
  }
  run.pullFailures += 1;
  const message = `failed to pull and unpack image "${image}": ${behaviour.pullError}`;
  told(stepping, "Failed", `Failed to pull image "${image}": ${message}`, "Warning");
  told(stepping, "Failed", "Error: ErrImagePull", "Warning");
  return go(run, "pull failed", now, message);
}

function start(run: Run, stepping: Stepping): true {
  const { pod, logs, now, behaviour, missing } = stepping;
  const name = nameOf(stepping);
  if (missing !== undefined) {
    told(stepping, "Failed", `Error: ${missing}`, "Warning");
    return go(run, "misconfigured", now, missing);
  }
  told(stepping, "Created", `Container created`);
  told(stepping, "Started", `Container started`);
  logs.turn(pod.metadata.uid ?? "", name);
  logs.say(pod.metadata.uid ?? "", name, ...(behaviour.log ?? []));
  run.startedAt = now;
  run.isStarted = run.isReady = false;
  run.probesFailed = 0;
  run.terminated = undefined;
  return go(run, "running", now);
}

function running(run: Run, stepping: Stepping): true | number | undefined {
  const end = endOf(run, stepping.behaviour, stepping.restartPolicy);
  const lived = stepping.now - run.startedAt;
  if (end && lived >= end.afterMs) return finish(run, stepping, end);
  const probing = probeRunning(run, stepping, (text, code) => {
    told(stepping, "Killing", text);
    finish(run, stepping, { code, reason: "Error" });
  });
  if (probing === true || !end) return probing;
  return Math.min(probing ?? Number.POSITIVE_INFINITY, end.afterMs - lived);
}

type End = { readonly code: number; readonly reason: string; readonly signal?: number };

/** The container has ended: it is started again, now or after a while, or has ended for good. */
export function finish(run: Run, stepping: Stepping, end: End): true {
  const { now, restartPolicy } = stepping;
  run.terminated = terminatedState(run, stepping, end);
  run.isReady = run.isStarted = false;
  const isRestarted = restartPolicy === "Always" || (restartPolicy === "OnFailure" && end.code !== 0);
  if (!isRestarted) return go(run, "ended", now);
  run.crashes = now - run.startedAt >= healedMs ? 1 : run.crashes + 1;
  if (run.crashes === 1) return go(run, "exited", now);
  const wait = durationText(backoffMs(run.crashes - 1));
  told(
    stepping,
    "BackOff",
    `Back-off restarting failed container ${nameOf(stepping)} in pod ${podText(stepping.pod)}`,
    "Warning",
  );
  return go(
    run,
    "crash backoff",
    now,
    `back-off ${wait} restarting failed container=${nameOf(stepping)} pod=${podText(stepping.pod)}`,
  );
}

function restart(run: Run, stepping: Stepping): true {
  run.last = run.terminated;
  run.restarts += 1;
  return go(run, "created", stepping.now);
}

const messageBytesMax = 2048;

function terminatedState(
  run: Run,
  { pod, container, logs, now }: Stepping,
  { code, reason, signal }: End,
): JsonObject {
  const name = String(container["name"]);
  // The end of the log stands in for a message where the container asks for it.
  const usesLog = code !== 0 && container["terminationMessagePolicy"] === "FallbackToLogsOnError";
  const lines = (usesLog ? (logs.read(pod.metadata.uid ?? "", name) ?? []) : []).map(
    ({ text }) => `${text}\n`,
  );
  const message = lines.slice(-80).join("").slice(-messageBytesMax);
  return {
    exitCode: code,
    ...(signal !== undefined && { signal }),
    reason,
    ...(message && { message }),
    startedAt: timestamp(new Date(run.startedAt)),
    finishedAt: timestamp(new Date(now)),
    containerID: containerId(pod, name, run.restarts),
  };
}

/** A name of the right form for one run of a container. */
export const containerId = (pod: Stored, container: string, run: number): string => {
  const text = Buffer.from(`${pod.metadata.uid}${container}${run}`).toString("hex");
  return `containerd://${text.slice(-64).padStart(64, "0")}`;
};

export const stopSeconds = (container: JsonObject): number =>
  Number(at(asObject(container["lifecycle"]), "preStop", "sleep", "seconds") ?? 0);
