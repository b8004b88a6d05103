import type { KubeApi, KubeObject } from "@starform/kubernetes/kube-api";
import { Fault } from "@starform/std/fault";
import { sayDuration } from "@starform/std/duration";
import { applyOurs, refOf } from "./apply-ours.ts";
import type { ClusterFacts } from "./cluster-facts.ts";
import { nameOf } from "./ownership.ts";
import type { ClusterParameters } from "./parameters.ts";
import type { Patience } from "./patience.ts";
import { missingOf } from "./readiness.ts";
import { render } from "./render.ts";
import { steps, type Step } from "./steps.ts";

export type BootstrapEvent = {
  readonly step: string;
  readonly brings: string;
  readonly state: "applying" | "waiting" | "ready" | "left_out";
  /** How many objects were made or changed so far; of a repeat, none. */
  readonly changed: number;
  /** What a waiting step waits for, or why one was left out. */
  readonly why?: string;
};

export type BootstrapDeps = {
  /** A patient one, see `patientKube`. */
  readonly kube: KubeApi;
  readonly patience: Patience;
  /** How long one step may take until it is ready. */
  readonly stepTimeoutMs: number;
  readonly tell: (event: BootstrapEvent) => void;
};

/**
 * Brings everything that a cluster needs before Shuttle, and Shuttle, in the order of the specification. It keeps no state of
 * its own: stopped anywhere, it is started again and goes on where the cluster is. Answers how many objects it made or
 * changed. A Fault `conflict` names what is in the way, `unavailable` what did not become ready.
 */
export async function bootstrapCluster(
  deps: BootstrapDeps,
  parameters: ClusterParameters,
  facts: ClusterFacts,
  signal?: AbortSignal,
): Promise<number> {
  let changed = 0;
  for (const step of steps) changed += await takeStep(deps, { step, parameters, facts }, signal);
  return changed;
}

type Task = { readonly step: Step; readonly parameters: ClusterParameters; readonly facts: ClusterFacts };

async function takeStep(deps: BootstrapDeps, task: Task, signal?: AbortSignal): Promise<number> {
  const { name, brings, leftOut } = task.step;
  let changed = 0;
  const tell = (state: BootstrapEvent["state"], why?: string): void =>
    deps.tell({ step: name, brings, state, changed, ...(why ? { why } : {}) });
  const reason = leftOut?.(task.parameters, task.facts);
  if (reason) {
    tell("left_out", reason);
    return 0;
  }
  tell("applying");
  const manifests = render(task.step, task.parameters, task.facts);
  for (const manifest of manifests) if (await applyOurs(deps.kube, manifest, signal)) changed += 1;
  await untilReady(deps, manifests, (why) => tell("waiting", why), signal).catch((error: unknown) => {
    throw error instanceof Fault
      ? new Fault(error.code, `${brings}: ${error.message}`, { cause: error })
      : error;
  });
  tell("ready");
  return changed;
}

/** Looks again and again until nothing is missing; news are told once each. */
async function untilReady(
  { kube, patience, stepTimeoutMs }: BootstrapDeps,
  manifests: readonly KubeObject[],
  waiting: (why: string) => void,
  signal?: AbortSignal,
): Promise<void> {
  const startedAt = patience.now();
  let told = "";
  for (const manifest of manifests)
    for (;;) {
      const missing = await lookAt(kube, manifest, signal);
      if (!missing) break;
      if (missing.isFinal) throw new Fault("unavailable", missing.sentence);
      if (patience.now() - startedAt > stepTimeoutMs)
        throw new Fault(
          "unavailable",
          `not ready after ${sayDuration(stepTimeoutMs)}: ${missing.sentence}. What was applied stays; starting again goes on from here.`,
        );
      if (missing.sentence !== told) waiting((told = missing.sentence));
      await patience.pause(signal);
      signal?.throwIfAborted();
    }
}

async function lookAt(kube: KubeApi, manifest: KubeObject, signal?: AbortSignal) {
  const object = await kube.get(refOf(manifest), signal);
  if (object) return missingOf(kube, object, signal);
  return {
    sentence: `${nameOf(manifest)} was taken away by somebody while it was waited for`,
    isFinal: true,
  };
}
