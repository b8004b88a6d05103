import { withCondition } from "../controllers/pod-state.ts";
import { specOf, statusOf } from "../kinds/in-spec.ts";
import { asObjects, type JsonObject } from "../model/json.ts";
import { timestamp, type Stored } from "../model/object.ts";
import type { Run } from "./run.ts";
import { containerId } from "./finish-container.ts";

const waitingReasons: Readonly<Partial<Record<Run["state"], string>>> = {
  created: "ContainerCreating",
  pulling: "ContainerCreating",
  "pull failed": "ErrImagePull",
  "pull backoff": "ImagePullBackOff",
  misconfigured: "CreateContainerConfigError",
  "crash backoff": "CrashLoopBackOff",
};

function stateOf(run: Run): JsonObject {
  if (run.state === "running") return { running: { startedAt: timestamp(new Date(run.startedAt)) } };
  if (run.state === "exited" || run.state === "ended") return { terminated: run.terminated };
  const reason = waitingReasons[run.state];
  return { waiting: { ...(reason && { reason }), ...(run.message && { message: run.message }) } };
}

function containerStatus(pod: Stored, container: JsonObject, run: Run): JsonObject {
  const name = String(container["name"]);
  const image = String(container["image"]);
  const wasRun = run.startedAt > 0;
  const last = run.state === "crash backoff" ? run.terminated : run.last;
  return {
    name,
    state: stateOf(run),
    lastState: last ? { terminated: last } : {},
    ready: run.isReady,
    restartCount: run.restarts,
    image,
    imageID: wasRun ? (image.includes("@") ? image : `${image}@sha256:${"0".repeat(64)}`) : "",
    ...(wasRun && { containerID: containerId(pod, name, run.restarts) }),
    started: run.isStarted,
  };
}

/** An init container that has done its work; those of the fake always do, and at once. */
const initStatus = (pod: Stored, container: JsonObject, time: string): JsonObject => ({
  name: container["name"],
  state: {
    terminated: {
      exitCode: 0,
      reason: "Completed",
      startedAt: time,
      finishedAt: time,
      containerID: containerId(pod, String(container["name"]), 0),
    },
  },
  lastState: {},
  ready: true,
  restartCount: 0,
  image: container["image"],
  imageID: `${String(container["image"])}@sha256:${"0".repeat(64)}`,
  started: false,
});

export function phaseOf(runs: readonly Run[]): "Pending" | "Running" | "Succeeded" | "Failed" {
  if (runs.length > 0 && runs.every(({ state }) => state === "ended"))
    return runs.every(({ terminated }) => terminated?.["exitCode"] === 0) ? "Succeeded" : "Failed";
  return runs.every(({ startedAt }) => startedAt > 0) ? "Running" : "Pending";
}

export type Seen = {
  readonly runs: ReadonlyMap<string, Run>;
  readonly hostIP: string;
  readonly podIP: string;
  readonly now: Date;
};

/** The status that the kubelet reports of a pod. */
export function podStatus(pod: Stored, { runs, hostIP, podIP, now }: Seen): JsonObject {
  const time = timestamp(now);
  const containers = asObjects(specOf(pod)["containers"]);
  const runOf = (container: JsonObject): Run | undefined => runs.get(String(container["name"]));
  const statuses = containers.flatMap((container) => {
    const run = runOf(container);
    return run ? [containerStatus(pod, container, run)] : [];
  });
  const phase = phaseOf([...runs.values()]);
  const unready = containers
    .filter((container) => !runOf(container)?.isReady)
    .map(({ name }) => String(name));
  const isReady = unready.length === 0;
  const why =
    phase === "Succeeded"
      ? { reason: "PodCompleted" }
      : { reason: "ContainersNotReady", message: `containers with unready status: [${unready.join(" ")}]` };
  const readiness = { status: isReady ? "True" : "False", ...(!isReady && why) };
  const inits = asObjects(specOf(pod)["initContainers"]);
  const before = statusOf(pod);
  return {
    ...before,
    phase,
    conditions: conditions(pod, readiness, time),
    hostIP,
    hostIPs: [{ ip: hostIP }],
    podIP,
    podIPs: [{ ip: podIP }],
    startTime: before["startTime"] ?? time,
    ...(inits.length > 0 && {
      initContainerStatuses:
        before["initContainerStatuses"] ?? inits.map((container) => initStatus(pod, container, time)),
    }),
    containerStatuses: statuses,
  };
}

function conditions(
  pod: Stored,
  readiness: { readonly status: string; readonly reason?: string; readonly message?: string },
  time: string,
): readonly JsonObject[] {
  const told = [
    { type: "PodReadyToStartContainers", status: "True" },
    { type: "Initialized", status: "True" },
    { type: "Ready", ...readiness },
    { type: "ContainersReady", ...readiness },
  ];
  return told.reduce<readonly JsonObject[]>(
    (all, condition) => withCondition(all, { ...condition, lastProbeTime: null }, time),
    asObjects(statusOf(pod)["conditions"]),
  );
}
