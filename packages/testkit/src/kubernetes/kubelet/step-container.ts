import { finish, go, imageOf, nameOf, stopSeconds, told, type Stepping } from "./finish-container.ts";
import { probeRunning } from "./probe-container.ts";
import { backoffMs, durationText, endOf, noticeMs, type Run } from "./run.ts";

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
  run.killedAt = undefined;
  run.terminated = undefined;
  return go(run, "running", now);
}

function running(run: Run, stepping: Stepping): true | number | undefined {
  const end = endOf(run, stepping.behaviour, stepping.restartPolicy);
  const lived = stepping.now - run.startedAt;
  if (end && lived >= end.afterMs) return finish(run, stepping, end);
  if (run.killedAt !== undefined) return killed(run, stepping, run.killedAt);
  const probing = probeRunning(run, stepping, (text) => {
    told(stepping, "Killing", text);
    run.killedAt = stepping.now + stopSeconds(stepping.container) * 1000;
  });
  if (probing === true || !end) return probing;
  return Math.min(probing ?? Number.POSITIVE_INFINITY, end.afterMs - lived);
}

/** Ended by the kubelet, after what it does before it is told to end. */
function killed(run: Run, stepping: Stepping, at: number): true | number {
  if (at > stepping.now) return at - stepping.now;
  const code = stepping.behaviour.stopCode ?? 137;
  return finish(run, stepping, { code, reason: code === 0 ? "Completed" : "Error" });
}

function restart(run: Run, stepping: Stepping): true {
  run.last = run.terminated;
  run.restarts += 1;
  return go(run, "created", stepping.now);
}
