import type { KindRef, KubeApi, KubeObject } from "@starform/kubernetes/kube-api";
import { isKubeError } from "@starform/kubernetes/kube-error";
import { sayDuration } from "@starform/std/duration";
import { Fault } from "@starform/std/fault";
import { refOf } from "./apply-ours.ts";
import { nameOf } from "./ownership.ts";
import type { Patience } from "./patience.ts";

export type RemovalEvent = {
  readonly stage: string;
  readonly state: "removing" | "waiting" | "done" | "kept";
  readonly count: number;
  readonly why?: string;
};
export type RemovalDeps = {
  /** A patient one, see `patientKube`. */
  readonly kube: KubeApi;
  readonly patience: Patience;
  readonly stageTimeoutMs: number;
  readonly tell: (event: RemovalEvent) => void;
};
export type Removal = RemovalDeps & { readonly signal: AbortSignal | undefined };

/** Objects of a kind that the cluster does not serve are none, also where it served the kind a moment ago. */
export async function find(
  { kube, signal }: Removal,
  of: KindRef,
  labelSelector: string,
  namespace?: string,
) {
  const none = { items: [] as readonly KubeObject[] };
  if (!(await kube.serves(of, signal))) return none;
  return kube.list(of, { labelSelector, namespace, metadataOnly: true }, signal).catch((error: unknown) => {
    if (isKubeError(error, 404)) return none;
    throw error;
  });
}

export async function deleteEach(
  { kube, signal }: Removal,
  objects: readonly KubeObject[],
  propagation: "Background" | "Foreground",
): Promise<number> {
  for (const object of objects) {
    const { uid } = object.metadata;
    await kube.delete({ ...refOf(object), propagation, ...(uid ? { uid } : {}) }, signal);
  }
  return objects.length;
}

export async function untilGone(removal: Removal, objects: readonly KubeObject[]): Promise<void> {
  const { kube, patience, stageTimeoutMs, signal } = removal;
  const startedAt = patience.now();
  for (const object of objects)
    for (;;) {
      const there = await kube.get(refOf(object), signal);
      if (!there || there.metadata.uid !== object.metadata.uid) break;
      if (patience.now() - startedAt > stageTimeoutMs)
        throw new Fault(
          "unavailable",
          `${nameOf(object)} is still there after ${sayDuration(stageTimeoutMs)}${heldBy(there)}. Starting again goes on from here.`,
        );
      await patience.pause(signal);
      signal?.throwIfAborted();
    }
}

const heldBy = ({ metadata: { finalizers = [] } }: KubeObject): string =>
  finalizers.length > 0 ? `: it waits for ${finalizers.join(", ")}` : "";
