import { asObject, type JsonObject } from "../model/json.ts";
import type { Run } from "./run.ts";
import type { Stepping } from "./finish-container.ts";

const number = (probe: JsonObject, field: string, standard: number): number =>
  Number(probe[field] ?? standard);
const periodMs = (probe: JsonObject): number => number(probe, "periodSeconds", 10) * 1000;

/** Of a probe that goes on failing, only the first failures are told one by one. */
const toldOneByOne = 3;
const longestSilenceMs = 60_000;

/**
 * Asks a running container's probes, as its script answers: true when something changed, or the milliseconds until
 * something may. A failed startup or liveness probe ends the container through `kill`.
 */
export function probeRunning(
  run: Run,
  stepping: Stepping,
  kill: (text: string) => void,
): true | number | undefined {
  const { container, behaviour, now } = stepping;
  const lived = now - run.startedAt;
  const [startup, readiness, liveness] = ["startupProbe", "readinessProbe", "livenessProbe"].map(
    (field) => container[field],
  );
  const probeName = startup === undefined ? "Readiness" : "Startup";
  if (behaviour.probeError !== undefined && (startup ?? readiness) !== undefined && !run.isReady)
    return failing(run, stepping, {
      probe: asObject(startup ?? readiness),
      name: probeName,
      answer: behaviour.probeError,
      since: 0,
      kill,
    });
  const readyAt = behaviour.readyAfterMs ?? 0;
  if (!run.isReady && lived >= readyAt) {
    run.isReady = run.isStarted = true;
    run.probesFailed = 0;
    return true;
  }
  if (!run.isReady) {
    // Without a startup probe a container counts as started when it runs.
    if (startup === undefined && !run.isStarted) return (run.isStarted = true);
    return readyAt - lived;
  }
  const sickAt = behaviour.unhealthyAfterMs;
  if (sickAt === undefined || liveness === undefined) return undefined;
  if (lived < sickAt) return sickAt - lived;
  return failing(run, stepping, {
    probe: asObject(liveness),
    name: "Liveness",
    answer: "HTTP probe failed with statuscode: 500",
    since: sickAt,
    kill,
  });
}

type Failing = {
  readonly probe: JsonObject;
  readonly name: "Startup" | "Readiness" | "Liveness";
  readonly answer: string;
  readonly since: number;
  readonly kill: (text: string) => void;
};

function failing(
  run: Run,
  { container, now, tell }: Stepping,
  { probe, name, answer, since, kill }: Failing,
): true | number {
  const period = periodMs(probe);
  const lived = now - run.startedAt - since;
  const first = number(probe, "initialDelaySeconds", 0) * 1000 + period;
  // A container is ended at its last failure, whether or not that one is told.
  const lastAt = first + (number(probe, "failureThreshold", 3) - 1) * period;
  const isLast = name !== "Readiness" && lived >= lastAt;
  const told = dueAfter(run.probesFailed, first, period);
  const due = name === "Readiness" ? told : Math.min(told, lastAt);
  if (lived < due) return due - lived;
  run.probesFailed += 1;
  const fieldPath = `spec.containers{${String(container["name"])}}`;
  tell({ type: "Warning", reason: "Unhealthy", message: `${name} probe failed: ${answer}`, fieldPath });
  if (isLast)
    kill(`Container ${String(container["name"])} failed ${name.toLowerCase()} probe, will be restarted`);
  return true;
}

/** When the failure of this number is told: each of the first ones, then one a minute. */
function dueAfter(told: number, first: number, period: number): number {
  if (told < toldOneByOne) return first + told * period;
  return first + toldOneByOne * period + (told - toldOneByOne + 1) * Math.max(period, longestSilenceMs);
}
