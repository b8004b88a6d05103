import type { JsonObject } from "../model/json.ts";
import type { PodBehaviour } from "./behaviour.ts";

/** How one container of one pod stands. */
export type Run = {
  state:
    | "created"
    | "pulling"
    | "pull failed"
    | "pull backoff"
    | "misconfigured"
    | "running"
    | "exited"
    | "crash backoff"
    | "ended";
  since: number;
  startedAt: number;
  restarts: number;
  pullFailures: number;
  /** Runs in a row that ended too soon; decides how long the next one waits. */
  crashes: number;
  isStarted: boolean;
  isReady: boolean;
  probesFailed: number;
  isPulled: boolean;
  /** Its probes failed: when it will have ended by it. */
  killedAt: number | undefined;
  message: string;
  terminated: JsonObject | undefined;
  last: JsonObject | undefined;
};

export const newRun = (now: number): Run => ({
  state: "created",
  since: now,
  startedAt: 0,
  restarts: 0,
  pullFailures: 0,
  crashes: 0,
  isStarted: false,
  isReady: false,
  probesFailed: 0,
  isPulled: false,
  killedAt: undefined,
  message: "",
  terminated: undefined,
  last: undefined,
});

const longestMs = 300_000;
/** 10 s, 20 s, 40 s … 5 min: after a failed pull, and from the second crash on. */
export const backoffMs = (failures: number): number =>
  Math.min(longestMs, 10_000 * 2 ** Math.max(0, failures - 1));
/** A run of ten minutes is no crash any more. */
export const healedMs = 600_000;
/** The kubelet notices an end about once a second. */
export const noticeMs = 1000;

export const durationText = (ms: number): string => {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
};

/** How this run ends by itself, if it does. */
export function endOf(
  run: Run,
  { exit }: PodBehaviour,
  restartPolicy: unknown,
): { code: number; afterMs: number; reason: string; signal?: number } | undefined {
  if (exit && (exit.times === undefined || run.restarts < exit.times))
    return {
      code: exit.code,
      afterMs: exit.afterMs ?? 0,
      reason: exit.reason ?? (exit.code === 0 ? "Completed" : "Error"),
      ...(exit.signal !== undefined && { signal: exit.signal }),
    };
  // A pod that is not to be started again is one that is meant to end.
  return restartPolicy === "Always" || exit ? undefined : { code: 0, afterMs: 0, reason: "Completed" };
}
