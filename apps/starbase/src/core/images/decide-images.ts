import { isFinal, type DeploymentStatus } from "@starform/contract/states";
import { rollBackLast, type ImageAllowance } from "@starform/contract/image-allowances";

/** An image that a store holds. */
export type ImageFact = {
  /** As receipts name it, with digest. */
  readonly image: string;
  readonly sizeBytes: number;
  readonly storedAt: Date;
};

/** A deployment that has an image, in a place. */
export type ReceiptFact = {
  readonly placeId: string;
  /** Grows within a place. */
  readonly number: number;
  readonly image: string;
  readonly status: DeploymentStatus;
  readonly createdAt: Date;
  readonly endedAt: Date | null;
  /** What the place should run, or was last seen running. */
  readonly isWanted: boolean;
};

export type Protection = "runs" | "rollback" | "young";
export type Verdict =
  | { readonly image: string; readonly goes: false; readonly why: Protection | "within its limits" }
  | { readonly image: string; readonly goes: true; readonly why: "age" | "size" };
export type Decision = {
  readonly verdicts: readonly Verdict[];
  /** Of what stays. */
  readonly bytesKept: number;
  /** What is over the limit although all that may go goes: receipts hold it. */
  readonly bytesOver: number;
};

const dayMs = 86_400_000;
/** Of a build that has just ended, and of an instance that still drains. */
const youngMs = 3_600_000;

/**
 * Which images may go. Pure: equal facts give an equal answer, in whatever order they come. Never goes: what runs or is
 * about to; what a receipt can still roll back to; what is younger than an hour. The rest goes when its days are over,
 * and before, the longest unused first, until all together are within the limit.
 */
export function decideImages(facts: {
  readonly images: readonly ImageFact[];
  readonly receipts: readonly ReceiptFact[];
  readonly allowance: ImageAllowance;
  readonly now: Date;
}): Decision {
  const { allowance, now } = facts;
  const protections = protectedImages(facts.receipts, allowance, now);
  const lastUse = lastUses(facts.receipts);
  const images = [...new Map(facts.images.map((one) => [one.image, one])).values()]
    .map((one) => ({ ...one, usedMs: Math.max(one.storedAt.getTime(), lastUse.get(one.image) ?? 0) }))
    .toSorted((a, b) => a.usedMs - b.usedMs || (a.image < b.image ? -1 : 1));
  let bytesKept = images.reduce((sum, one) => sum + one.sizeBytes, 0);
  const verdicts = images.map(({ image, sizeBytes, storedAt, usedMs }): Verdict => {
    const isYoung = now.getTime() - storedAt.getTime() < youngMs;
    const protection = protections.get(image) ?? (isYoung ? "young" : undefined);
    if (protection) return { image, goes: false, why: protection };
    const isOld = now.getTime() - usedMs > allowance.restDaysMax * dayMs;
    if (!isOld && bytesKept <= allowance.bytesMax) return { image, goes: false, why: "within its limits" };
    bytesKept -= sizeBytes;
    return { image, goes: true, why: isOld ? "age" : "size" };
  });
  return { verdicts, bytesKept, bytesOver: Math.max(0, bytesKept - allowance.bytesMax) };
}

/** The images no limit takes away, and why. */
export function protectedImages(
  receipts: readonly ReceiptFact[],
  { rollBackDays }: Pick<ImageAllowance, "rollBackDays">,
  now: Date,
): ReadonlyMap<string, Protection> {
  const since = now.getTime() - rollBackDays * dayMs;
  const found = new Map<string, Protection>();
  for (const ofPlace of Map.groupBy(receipts, ({ placeId }) => placeId).values()) {
    const served = ofPlace
      .filter(({ status }) => status === "deployed")
      .toSorted((a, b) => b.number - a.number);
    served.forEach(({ image }, index) => {
      const next = served[index - 1];
      // It served until the next one did.
      const servedUntil = next ? (next.endedAt ?? next.createdAt).getTime() : Infinity;
      if (index < rollBackLast || servedUntil >= since) found.set(image, "rollback");
    });
  }
  for (const { image, isWanted, status } of receipts)
    if (isWanted || !isFinal(status)) found.set(image, "runs");
  return found;
}

function lastUses(receipts: readonly ReceiptFact[]): ReadonlyMap<string, number> {
  const uses = new Map<string, number>();
  for (const { image, createdAt, endedAt } of receipts)
    uses.set(image, Math.max(uses.get(image) ?? 0, (endedAt ?? createdAt).getTime()));
  return uses;
}
