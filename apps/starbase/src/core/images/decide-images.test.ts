import { rollBackLast } from "@starform/contract/image-allowances";
import { DeploymentStatus } from "@starform/contract/states";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decideImages, type ImageFact, type ReceiptFact } from "./decide-images.ts";

const now = new Date("2026-11-29T12:00:00Z");
const [hourMs, dayMs] = [3_600_000, 86_400_000];
const daysAgo = (days: number) => new Date(now.getTime() - days * dayMs);
const allowance = { rollBackDays: 30, restDaysMax: 7, bytesMax: 1_000 };

const anImage = (name: string, own: Partial<ImageFact> = {}): ImageFact => ({
  image: name,
  sizeBytes: 100,
  storedAt: daysAgo(2),
  ...own,
});
const aReceipt = (image: string, own: Partial<ReceiptFact> = {}): ReceiptFact => ({
  placeId: "web in production",
  number: 1,
  image,
  status: "deployed",
  createdAt: daysAgo(2),
  endedAt: daysAgo(2),
  isWanted: false,
  ...own,
});
const decided = (images: ImageFact[], receipts: ReceiptFact[], own: Partial<typeof allowance> = {}) =>
  Object.fromEntries(
    decideImages({ images, receipts, allowance: { ...allowance, ...own }, now }).verdicts.map(
      ({ image, goes, why }) => [image, goes ? `goes: ${why}` : why],
    ),
  );

describe("what stays, whatever the limits", () => {
  test("what runs, and what is about to", () => {
    const receipts = [
      aReceipt("wanted", { status: "failed", isWanted: true, createdAt: daysAgo(400) }),
      aReceipt("coming", { number: 2, status: "deploying", endedAt: null, createdAt: daysAgo(400) }),
    ];
    const images = ["wanted", "coming"].map((name) => anImage(name, { storedAt: daysAgo(400) }));
    expect(decided(images, receipts, { bytesMax: 0 })).toEqual({ wanted: "runs", coming: "runs" });
  });

  test("the last ten that served in a place, however old", () => {
    const receipts = Array.from({ length: 12 }, (_, n) =>
      aReceipt(`v${n + 1}`, { number: n + 1, createdAt: daysAgo(400 - n), endedAt: daysAgo(400 - n) }),
    );
    const images = receipts.map(({ image, createdAt }) => anImage(image, { storedAt: createdAt }));
    const seen = decided(images, receipts);
    expect([seen["v1"], seen["v2"]]).toEqual(["goes: age", "goes: age"]);
    expect(Object.values(seen).filter((why) => why === "rollback")).toHaveLength(rollBackLast);
  });

  test("what served within the last days, however many came after it, and however long ago it was deployed", () => {
    const old = aReceipt("old", { number: 1, createdAt: daysAgo(300), endedAt: daysAgo(300) });
    const today = Array.from({ length: 15 }, (_, n) =>
      aReceipt(`today${n}`, { number: n + 2, createdAt: daysAgo(1), endedAt: daysAgo(1) }),
    );
    const images = [anImage("old", { storedAt: daysAgo(300) })];
    expect(decided(images, [old, ...today])).toEqual({ old: "rollback" });
    expect(decided(images, [old, ...today], { rollBackDays: 0 })).toEqual({ old: "goes: age" });
  });

  test("what was stored within the hour", () => {
    const storedAt = new Date(now.getTime() - hourMs / 2);
    expect(decided([anImage("fresh", { storedAt })], [], { bytesMax: 0 })).toEqual({ fresh: "young" });
  });
});

describe("the rest", () => {
  test("goes when its days since its last use are over", () => {
    const images = [
      anImage("never", { storedAt: daysAgo(8) }),
      anImage("failed lately", { storedAt: daysAgo(100) }),
    ];
    const receipts = [aReceipt("failed lately", { status: "failed", endedAt: daysAgo(3) })];
    expect(decided(images, receipts)).toEqual({
      never: "goes: age",
      "failed lately": "within its limits",
    });
  });

  test("goes before, the longest unused first, until all are within the limit", () => {
    const images = [3, 2, 1].map((days) => anImage(`${days} days`, { storedAt: daysAgo(days) }));
    expect(decided(images, [], { bytesMax: 250 })).toEqual({
      "3 days": "goes: size",
      "2 days": "within its limits",
      "1 days": "within its limits",
    });
  });

  test("counts an image once however often it is told of", () => {
    expect(decided([anImage("a"), anImage("a"), anImage("a")], [], { bytesMax: 100 })).toEqual({
      a: "within its limits",
    });
  });

  test("tells what receipts hold beyond the limit", () => {
    const images = [anImage("a", { sizeBytes: 900 }), anImage("b", { sizeBytes: 300 })];
    const decision = decideImages({ images, receipts: [aReceipt("a"), aReceipt("b")], allowance, now });
    expect(decision).toMatchObject({ bytesKept: 1_200, bytesOver: 200 });
  });
});

const names = ["a", "b", "c", "d", "e", "f", "g", "h"];
const moment = fc.integer({ min: 0, max: 100 * dayMs }).map((ms) => new Date(now.getTime() - ms));
const anyImages = fc.uniqueArray(
  fc.record({
    image: fc.constantFrom(...names),
    sizeBytes: fc.integer({ min: 0, max: 500 }),
    storedAt: moment,
  }),
  { selector: ({ image }) => image },
);
const anyReceipts = fc.uniqueArray(
  fc.record({
    placeId: fc.constantFrom("p", "q"),
    number: fc.integer({ min: 1, max: 30 }),
    image: fc.constantFrom(...names),
    status: fc.constantFrom(...DeploymentStatus.options),
    createdAt: moment,
    endedAt: fc.option(moment),
    isWanted: fc.boolean(),
  }),
  { maxLength: 40, selector: ({ placeId, number }) => `${placeId} ${number}` },
);
const anyAllowance = fc.record({
  rollBackDays: fc.integer({ min: 0, max: 60 }),
  restDaysMax: fc.integer({ min: 0, max: 60 }),
  bytesMax: fc.integer({ min: 0, max: 2_000 }),
});
const anyFacts = fc.record({
  images: anyImages,
  receipts: anyReceipts,
  allowance: anyAllowance,
  now: fc.constant(now),
});

/** The promise in its plainest words, slow and apart from the code. */
function mustStay(
  { image, storedAt }: ImageFact,
  receipts: readonly ReceiptFact[],
  rollBackDays: number,
): boolean {
  const ends = ["deployed", "failed", "cancelled"];
  const own = receipts.filter((one) => one.image === image);
  if (own.some(({ isWanted, status }) => isWanted || !ends.includes(status))) return true;
  if (now.getTime() - storedAt.getTime() < hourMs) return true;
  return own.some((receipt) => {
    if (receipt.status !== "deployed") return false;
    const later = receipts
      .filter((one) => one.placeId === receipt.placeId && one.status === "deployed")
      .filter((one) => one.number > receipt.number)
      .toSorted((a, b) => a.number - b.number);
    const until = later[0] && (later[0].endedAt ?? later[0].createdAt);
    return later.length < rollBackLast || now.getTime() - until!.getTime() <= rollBackDays * dayMs;
  });
}

describe("for any facts", () => {
  test("nothing goes that a kept receipt can roll back to, that runs, or that is young", () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const going = new Set(
          decideImages(facts).verdicts.flatMap(({ image, goes }) => (goes ? [image] : [])),
        );
        return facts.images.every(
          (one) => !going.has(one.image) || !mustStay(one, facts.receipts, facts.allowance.rollBackDays),
        );
      }),
    );
  });

  test("all that stays is within the limit whenever what must stay is", () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const held = facts.images
          .filter((one) => mustStay(one, facts.receipts, facts.allowance.rollBackDays))
          .reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
        const { bytesKept, bytesOver } = decideImages(facts);
        return held <= facts.allowance.bytesMax
          ? bytesKept <= facts.allowance.bytesMax && bytesOver === 0
          : bytesKept === held && bytesOver === held - facts.allowance.bytesMax;
      }),
    );
  });

  test("nothing goes for its size while all fits without it", () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const { verdicts, bytesKept } = decideImages(facts);
        const last = verdicts.findLast(({ why }) => why === "size");
        const size = facts.images.find(({ image }) => image === last?.image)?.sizeBytes ?? 0;
        return !last || bytesKept + size > facts.allowance.bytesMax;
      }),
    );
  });

  test("the order in which the facts are told changes nothing, and every image has one verdict", () => {
    fc.assert(
      fc.property(anyFacts, fc.func(fc.integer()), (facts, by) => {
        const shuffled = <T>(list: readonly T[]) => list.toSorted((a, b) => by(a) - by(b));
        const decision = decideImages(facts);
        expect(decision.verdicts.map(({ image }) => image).toSorted()).toEqual(
          facts.images.map(({ image }) => image).toSorted(),
        );
        expect(
          decideImages({
            ...facts,
            images: shuffled(facts.images),
            receipts: shuffled(facts.receipts),
          }),
        ).toEqual(decision);
      }),
    );
  });
});
