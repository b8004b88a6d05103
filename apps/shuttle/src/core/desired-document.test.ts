import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { keyOf } from "./service-key.ts";
import { aDocument, aService, redeployed } from "../../test/desired.ts";
import { changedKeys, judgeDocument, keepingEqual } from "./desired-document.ts";

const clusterId = randomUUID();
const [a, b] = [aService({ image: "a" }), aService({ image: "b" })];
const last = aDocument(clusterId, 7, [a, b]);
const judge = (document: unknown) => judgeDocument(document, last, clusterId);

test.each([
  ["empty text's value", undefined, /malformed/],
  ["a document without services", { cluster_id: clusterId, version: 8 }, /malformed/],
  [
    "a service without its image",
    aDocument(clusterId, 8, [{ ...a, image: undefined as never }]),
    /malformed: services\.0\.image/,
  ],
  ["another cluster's", aDocument(randomUUID(), 8, [a]), /belongs to cluster/],
  ["an older version", aDocument(clusterId, 6, [a, b]), /older than 7/],
  ["an empty list while services run", aDocument(clusterId, 8, []), /does not say that they are deleted/],
  ["an absence without a newer version", aDocument(clusterId, 7, [a]), /leaves out services/],
  ["the same service twice", aDocument(clusterId, 8, [a, b, { ...a }]), /twice/],
])("refuses %s", (_name, document, reason) => {
  const verdict = judge(document);
  expect(verdict.kind !== "taken" && verdict.reason).toMatch(reason);
});

test("without a last document an empty one is believed only where nothing runs", () => {
  const empty = aDocument(clusterId, 8, []);
  expect(judgeDocument(empty, undefined, clusterId, true).kind).toBe("refused");
  expect(judgeDocument(empty, undefined, clusterId, false).kind).toBe("taken");
});

test("takes the first, the same again, a newer one that names fewer, and an empty one once all are marked as deleted", () => {
  expect(judgeDocument(last, undefined, clusterId).kind).toBe("taken");
  expect(judge(last).kind).toBe("taken");
  expect(judge(aDocument(clusterId, 8, [a])).kind).toBe("taken");
  const deleted = aDocument(clusterId, 8, [{ ...a, deleted: true }]);
  expect(judge(deleted).kind).toBe("taken");
  expect(judgeDocument(aDocument(clusterId, 9, []), deleted, clusterId).kind).toBe("taken");
});

test("takes a document with members it does not know", () => {
  expect(judge({ ...last, version: 8, invented: { later: true } }).kind).toBe("taken");
});

test("services that say the same stay the same objects, and only the others have changed", () => {
  const next = aDocument(clusterId, 8, [structuredClone(a), redeployed(b)]);
  const kept = keepingEqual(next, last);
  expect(kept).toEqual(next);
  expect(kept.services[0]).toBe(a);
  expect(changedKeys(last, kept)).toEqual([keyOf(b)]);
  expect(changedKeys(kept, aDocument(clusterId, 9, [a]))).toEqual([keyOf(b)]);
  expect(changedKeys(undefined, last)).toEqual([keyOf(a), keyOf(b)]);
});

test("a document that says nothing new is the one before", () => {
  expect(keepingEqual({ ...last, services: [...last.services] }, last)).toBe(last);
  const newer = keepingEqual(aDocument(clusterId, 8, structuredClone([a, b])), last);
  expect(newer.version).toBe(8);
  expect(changedKeys(last, newer)).toEqual([]);
});
