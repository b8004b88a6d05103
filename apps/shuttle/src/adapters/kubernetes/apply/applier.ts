import type { KubeApi, KubeObject } from "@starform/kubernetes/kube-api";
import { isKubeError } from "@starform/kubernetes/kube-error";
import { digestOf } from "@starform/std/canonical-json";
import { refOf, type Manifest, type ManifestRef, type ManifestStep } from "../manifests/manifest.ts";
import type { ClusterView } from "../view/cluster-view.ts";
import {
  fieldManager,
  interned,
  manifestChecksumAnnotation,
  ownedObject,
  type OwnedObject,
} from "../view/owned-object.ts";
import { changedByHand, deletedByHand, type Drift } from "./drift.ts";
import { lostFields, type FieldSet } from "./owned-fields.ts";
import { judgeRefusal, type Refusal } from "./refusals.ts";
import { handOverReplicas } from "./replicas.ts";

/** What a place or a project remembers of its applies, while this process lives. */
export type ApplyMemory = {
  /** Checksums of what was applied: an object that is gone although it was there was deleted by somebody. */
  readonly applied: Map<ManifestRef, string>;
  /** Manifests that will be refused again, with the reason; forgotten after a while. */
  readonly refused: Map<
    ManifestRef,
    { readonly checksum: string; readonly sentence: string; readonly untilMs: number }
  >;
  /** Fields that the server does not keep of a manifest: no difference, or it would be written again and again. */
  readonly unkept: Map<ManifestRef, { readonly checksum: string; readonly paths: ReadonlySet<string> }>;
  readonly drift: Drift[];
};
export const applyMemory = (): ApplyMemory => ({
  applied: new Map(),
  refused: new Map(),
  unkept: new Map(),
  drift: [],
});

export type Applied = {
  readonly writes: number;
  /** Steps that did not happen, and why; those that depend on them did not either. */
  readonly problems: ReadonlyMap<ManifestRef, Refusal>;
  /** Steps that wait for something to be ready. */
  readonly waiting: readonly ManifestRef[];
};

/** The API server cannot be had: all that is left to do waits. */
export class ServerAway extends Error {
  readonly waitMs: number;
  constructor({ sentence, waitMs }: Refusal & { kind: "away" }) {
    super(sentence);
    this.waitMs = waitMs;
  }
}

const refusedForMs = 300_000;
const driftMax = 20;

type Deps = { readonly api: KubeApi; readonly view: Pick<ClusterView, "learn"> };
type Want = {
  readonly steps: readonly ManifestStep[];
  readonly find: (ref: ManifestRef) => OwnedObject | undefined;
  readonly wasReady: (ref: ManifestRef) => boolean;
  readonly memory: ApplyMemory;
};

/**
 * Brings the cluster to the steps, in their order, writing only what differs. What is the same is told by two things
 * that the informer sees: the checksum of the manifest, and that every field of it is still owned by Shuttle. The value
 * of an owned field is the one that was applied; whoever changes it takes ownership with it.
 */
export function applier({ api, view }: Deps) {
  /** Objects found to be as their manifest says: an object changes by being replaced. */
  const sound = new WeakMap<OwnedObject, string>();

  const lostOf = (
    manifest: Manifest,
    checksum: string,
    object: OwnedObject,
    { unkept }: ApplyMemory,
  ): readonly (readonly string[])[] => {
    if (sound.get(object) === checksum) return [];
    const known = unkept.get(object.ref);
    const isKept = (path: readonly string[]) =>
      known?.checksum !== checksum || !known.paths.has(path.join("."));
    const owned = object.owned === "" ? {} : (JSON.parse(object.owned) as FieldSet);
    const lost = lostFields(manifest, owned).filter(isKept);
    if (lost.length === 0) sound.set(object, checksum);
    return lost;
  };
  /** While a place is being worked on, its manifests are the same objects. */
  const checksums = new WeakMap<Manifest, string>();
  const checksumOf = (manifest: Manifest): string => {
    const checksum = checksums.get(manifest) ?? interned(digestOf(manifest));
    checksums.set(manifest, checksum);
    return checksum;
  };
  const remember = (memory: ApplyMemory, drift: Drift): void => {
    memory.drift.push(drift);
    if (memory.drift.length > driftMax) memory.drift.shift();
  };

  /** What is wrong with the object; undefined if nothing is. */
  async function difference(
    manifest: Manifest,
    checksum: string,
    { find, memory }: Pick<Want, "find" | "memory">,
    signal: AbortSignal,
  ): Promise<{ readonly object: OwnedObject | undefined } | undefined> {
    const ref = refOf(manifest);
    const object = find(ref);
    if (!object) {
      if (memory.applied.get(ref) === checksum) remember(memory, deletedByHand(manifest));
      return { object };
    }
    const lost = lostOf(manifest, checksum, object, memory);
    if (object.checksum === checksum && lost.length === 0) return undefined;
    if (object.checksum === checksum)
      remember(memory, await changedByHand(api, { manifest, object, lost }, signal));
    return { object };
  }

  async function applyOne(manifest: Manifest, want: Want, signal: AbortSignal): Promise<Refusal | number> {
    const ref = interned(refOf(manifest));
    const checksum = checksumOf(manifest);
    const stamped = stampedWith(manifest, checksum);
    const { memory } = want;
    const known = memory.refused.get(ref);
    if (known?.checksum === checksum && performance.now() < known.untilMs)
      return { kind: "final", sentence: known.sentence };
    const differs = await difference(stamped, checksum, want, signal);
    if (!differs) {
      memory.applied.set(ref, checksum);
      return 0;
    }
    try {
      const handed = await handOverReplicas(api, stamped, differs.object, signal);
      const answer = await api.apply(stamped as KubeObject, { fieldManager, force: true }, signal);
      const kept = view.learn(answer, answer) ?? ownedObject(answer);
      memory.applied.set(ref, checksum);
      memory.refused.delete(ref);
      const lost = lostOf(stamped, checksum, kept, memory);
      if (lost.length > 0)
        memory.unkept.set(ref, { checksum, paths: new Set(lost.map((path) => path.join("."))) });
      return handed + 1;
    } catch (error) {
      if (!isKubeError(error)) throw error;
      const refusal = judgeRefusal(error, manifest);
      if (refusal.kind === "away") throw new ServerAway(refusal);
      if (refusal.kind === "final")
        memory.refused.set(ref, {
          checksum,
          sentence: refusal.sentence,
          untilMs: performance.now() + refusedForMs,
        });
      return refusal;
    }
  }

  return async (want: Want, signal: AbortSignal): Promise<Applied> => {
    const problems = new Map<ManifestRef, Refusal>();
    const waiting = new Set<ManifestRef>();
    let writes = 0;
    for (const { ref, manifest, after } of want.steps) {
      signal.throwIfAborted();
      const isBlocked = after.some(({ on }) => problems.has(on) && !isThere(on, want.find(on)));
      const isEarly = after.some(
        ({ on, until }) =>
          waiting.has(on) || (until === "ready-once" && !want.find(ref) && !want.wasReady(on)),
      );
      if (isEarly) waiting.add(ref);
      if (isBlocked) problems.set(ref, { kind: "again", sentence: "" });
      if (isEarly || isBlocked) continue;
      const result = await applyOne(manifest, want, signal);
      if (typeof result === "number") writes += result;
      else problems.set(ref, result);
    }
    return { writes, problems, waiting: [...waiting] };
  };
}

/** A volume that may not grow is still a volume; of all else, an older form would not do. */
const isThere = (ref: ManifestRef, object: OwnedObject | undefined): boolean =>
  ref.startsWith("PersistentVolumeClaim/") && object !== undefined && !object.isGoing;

export const stampedWith = (manifest: Manifest, checksum: string): Manifest => ({
  ...manifest,
  metadata: {
    ...manifest.metadata,
    annotations: { ...manifest.metadata.annotations, [manifestChecksumAnnotation]: checksum },
  },
});
