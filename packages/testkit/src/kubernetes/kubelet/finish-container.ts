import type { EventNote } from "../controllers/record-event.ts";
import { asObject, asStrings, at, type JsonObject } from "../model/json.ts";
import { timestamp, type Stored } from "../model/object.ts";
import type { PodBehaviour } from "./behaviour.ts";
import type { PodLogs } from "./pod-logs.ts";
import { backoffMs, durationText, healedMs, type Run } from "./run.ts";

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
export const nameOf = ({ container }: Stepping): string => String(container["name"]);
export const imageOf = ({ container }: Stepping): string => String(container["image"]);
export const told = (
  stepping: Stepping,
  reason: string,
  message: string,
  type: "Normal" | "Warning" = "Normal",
): void => stepping.tell({ type, reason, message, fieldPath: `spec.containers{${nameOf(stepping)}}` });

export const go = (run: Run, state: Run["state"], now: number, message = ""): true => {
  run.state = state;
  run.since = now;
  run.message = message;
  return true;
};

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

/** How long the hook before SIGTERM takes: a sleep, or a shell's script that begins with one. */
export function stopSeconds(container: JsonObject): number {
  const hook = asObject(asObject(container["lifecycle"])["preStop"]);
  const script = asStrings(at(hook, "exec", "command")).join("\n");
  return Number(at(hook, "sleep", "seconds") ?? /^sleep (\d+)$/m.exec(script)?.[1] ?? 0);
}
