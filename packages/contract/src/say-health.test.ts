import { expect, test } from "vitest";
import { sayByHand, sayTrouble } from "./say-health.ts";
import type { ServiceHealth } from "./services.ts";

const health: ServiceHealth = {
  phase: "running",
  readyReplicas: 1,
  desiredReplicas: 1,
  restarts: 0,
  reason: null,
  observedAt: null,
};
const at = "2026-11-29T08:00:00.000Z";
const now = new Date("2026-11-29T09:00:00.000Z");

test("why it is not well, with what it said last", () => {
  expect(sayTrouble(health)).toEqual([]);
  expect(sayTrouble({ ...health, reason: "exited with code 1" })).toEqual(["exited with code 1"]);
  expect(
    sayTrouble({ ...health, reason: "exited with code 1", lastLines: ["listening", "Error: no"] }),
  ).toEqual(["exited with code 1\n    listening\n    Error: no"]);
});

test("nobody's hand is no sentence", () => {
  expect(sayByHand(health, now)).toEqual([]);
  expect(sayByHand({ ...health, heldBack: null, putBack: [] }, now)).toEqual([]);
});

test("who holds it, and the last thing that was put back", () => {
  const deleted = { object: "Service/web", what: "deleted" as const, fields: [], by: null, at };
  const edited = {
    object: "Deployment/web",
    what: "changed" as const,
    fields: ["spec.replicas"],
    by: "kubectl-edit",
    at,
  };
  const heldBack = { fromVersion: 3, insteadOf: "d", by: "ada on node-1", at };
  expect(sayByHand({ ...health, heldBack, putBack: [deleted, edited] }, now)).toEqual([
    `held at version 3 on the cluster by ada on node-1 since ${at}`,
    `Deployment/web was changed by hand (spec.replicas) with kubectl-edit at ${at}, and put back`,
  ]);
  expect(sayByHand({ ...health, putBack: [deleted] }, new Date("2026-11-30T09:00:00.000Z"))).toEqual([]);
  expect(sayByHand({ ...health, putBack: [deleted] }, now)).toEqual([
    `Service/web was deleted by hand at ${at}, and put back`,
  ]);
});
