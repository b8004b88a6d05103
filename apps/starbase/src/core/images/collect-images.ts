import type { ImageAllowance } from "@starform/contract/image-allowances";
import type { Plan } from "@starform/contract/plans";
import type { Clock } from "@starform/std/clock";
import { wordsOf } from "@starform/std/fault";
import type { ImageStore, StoredImage } from "../../ports/registry-provider.ts";
import type { Transact } from "../stores.ts";
import { decideImages, protectedImages } from "./decide-images.ts";
import { nameOf, storedName } from "./image-name.ts";
import type { CollectedImage, OwnedRepository, RetentionStore } from "./retention-store.ts";

/** What an operator reads in the log. */
export type CollectionEvent =
  | {
      readonly kind: "removed";
      readonly image: string;
      readonly why: "age" | "size";
      readonly sizeBytes: number;
    }
  /** It is tried again the next time. */
  | { readonly kind: "left"; readonly image: string; readonly because: string }
  | { readonly kind: "unreachable"; readonly store: string; readonly because: string }
  /** Receipts hold more than the plan grants. */
  | {
      readonly kind: "over";
      readonly workspaceId: string;
      readonly bytesOver: number;
      readonly bytesMax: number;
    };

export type CollectImagesDeps = {
  readonly stores: readonly ImageStore[];
  readonly retention: RetentionStore;
  readonly transact: Transact;
  readonly clock: Clock;
  readonly allowanceOf: (plan: Plan) => ImageAllowance;
  readonly tell: (event: CollectionEvent) => void;
};
export type CollectImages = (signal: AbortSignal) => Promise<{ removed: number }>;

/**
 * Removes the images that may go. One is marked first, under the lock of every place of its project and after a last
 * look at the receipts; then it goes from its store, while nothing of its service is being built. Whoever is about to
 * take an image up again holds its place, so it either comes before the mark, which then is not set, or sees it. Killed
 * at any point, the next run goes on where this one ended; two at once do no harm.
 */
export const collectImages =
  (deps: CollectImagesDeps): CollectImages =>
  async (signal) => {
    let removed = 0;
    const finish = async (collected: CollectedImage): Promise<void> => {
      if (!signal.aborted && (await removeMarked(deps, collected))) removed += 1;
    };
    for (const collected of await deps.retention.unremoved()) await finish(collected);
    const lookedAt = deps.clock.now();
    const held = await heldImages(deps);
    for (const ofWorkspace of Map.groupBy(held, ({ owner }) => owner.workspaceId).values())
      for (const candidate of await candidatesOf(deps, ofWorkspace)) {
        if (signal.aborted) return { removed };
        const collected = await markOne(deps, candidate, lookedAt);
        if (collected) await finish(collected);
      }
    return { removed };
  };

type Held = StoredImage & { readonly image: string; readonly owner: OwnedRepository };
type Candidate = Held & { readonly why: "age" | "size" };

/** Every image of a service of ours, in all stores that answer. */
async function heldImages({ stores, retention, tell }: CollectImagesDeps): Promise<Held[]> {
  const held: Held[] = [];
  for (const store of stores)
    try {
      for (const owner of await retention.owned(await store.repositories()))
        for (const stored of await store.images(owner))
          held.push({ ...stored, image: `${nameOf(store.prefix, owner)}@${stored.digest}`, owner });
    } catch (error) {
      tell({ kind: "unreachable", store: store.title, because: wordsOf(error) });
    }
  return held;
}

async function candidatesOf(deps: CollectImagesDeps, held: readonly Held[]): Promise<Candidate[]> {
  const { workspaceId, plan } = held[0]!.owner;
  const allowance = deps.allowanceOf(plan);
  const { verdicts, bytesOver } = decideImages({
    images: held,
    receipts: await deps.retention.receipts({ workspaceId }),
    allowance,
    now: deps.clock.now(),
  });
  if (bytesOver > 0) deps.tell({ kind: "over", workspaceId, bytesOver, bytesMax: allowance.bytesMax });
  const byName = new Map(held.map((one) => [one.image, one]));
  return verdicts.flatMap((verdict) =>
    verdict.goes ? [{ ...byName.get(verdict.image)!, why: verdict.why }] : [],
  );
}

/** Undefined when a receipt has come to need it, or another run has removed it since it was looked for. */
const markOne = (
  { transact, clock, allowanceOf }: CollectImagesDeps,
  { image, owner, sizeBytes, why }: Candidate,
  lookedAt: Date,
): Promise<CollectedImage | undefined> =>
  transact(async ({ retention }) => {
    const { projectId, serviceId, workspaceId, plan } = owner;
    await retention.hold({ projectId });
    const now = clock.now();
    const needed = protectedImages(
      await retention.receipts({ workspaceId, projectId }),
      allowanceOf(plan),
      now,
    );
    const earlier = await retention.find(projectId, image);
    if (needed.has(image) || (earlier?.removedAt && earlier.removedAt >= lookedAt)) return undefined;
    const collected: CollectedImage = {
      image,
      projectId,
      serviceId,
      reason: why,
      sizeBytes,
      collectedAt: now,
      removedAt: null,
    };
    // One that somebody pushed again after it had been removed.
    if (earlier?.removedAt) await retention.unmark(projectId, image);
    await retention.mark(collected);
    return collected;
  });

/** Answers whether it is gone. */
async function removeMarked(deps: CollectImagesDeps, collected: CollectedImage): Promise<boolean> {
  const { image, projectId, serviceId, reason: why, sizeBytes } = collected;
  const store = deps.stores.find(({ prefix }) => storedName(prefix, image));
  const named = store && storedName(store.prefix, image);
  if (!store || !named) {
    deps.tell({ kind: "left", image, because: "its store is not configured any more" });
    return false;
  }
  try {
    return await deps.transact(async ({ retention }) => {
      // What is being built may make the very same image at this moment.
      if ((await retention.hold({ projectId, serviceId })).isBuilding) return false;
      const mark = await retention.find(projectId, image);
      if (!mark || mark.removedAt) return false;
      await store.remove(named.repository, named.digest);
      await retention.setRemoved(projectId, image, deps.clock.now());
      deps.tell({ kind: "removed", image, why, sizeBytes });
      return true;
    });
  } catch (error) {
    deps.tell({ kind: "left", image, because: wordsOf(error) });
    return false;
  }
}
