import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { aPod } from "../../test/running-pod.ts";
import { snapshotsOf, tickOf } from "./snapshots.ts";

const pod = aPod({ projectId: "p", serviceId: "s" });

test("the id is the hash the contract names, the same whenever the tick is the same", () => {
  const [early, late] = [
    tickOf(Date.parse("2026-11-29T08:00:01Z"), 60_000),
    tickOf(Date.parse("2026-11-29T08:00:59Z"), 60_000),
  ];
  expect(early.toISOString()).toBe("2026-11-29T08:00:00.000Z");
  expect(snapshotsOf([pod], early)).toEqual(snapshotsOf([pod], late));
  expect(snapshotsOf([pod], early)[0]?.snapshot_id).toBe(
    createHash("sha256").update("psweb-12026-11-29T08:00:00.000Z").digest("hex"),
  );
  expect(snapshotsOf([pod], tickOf(Date.parse("2026-11-29T08:01:00Z"), 60_000))[0]?.snapshot_id).not.toBe(
    snapshotsOf([pod], early)[0]?.snapshot_id,
  );
});

test("a pod that is listed twice is billed once", () => {
  expect(snapshotsOf([pod, { ...pod }], new Date(0))).toHaveLength(1);
});
