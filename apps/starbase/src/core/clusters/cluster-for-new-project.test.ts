import { expect, test } from "vitest";
import { clusterForNewProject } from "./cluster-for-new-project.ts";
import type { ClusterRoom } from "./ports.ts";

const now = new Date("2026-11-29T12:00:00Z");
const before = (minutes: number) => new Date(now.getTime() - minutes * 60_000);
const a = (id: string, own: Partial<ClusterRoom> = {}): ClusterRoom => ({
  id,
  pods: 10,
  podsSoftLimit: 1_000,
  lastSeenAt: before(1),
  createdAt: before(1_000),
  ...own,
});
const chosen = (...clusters: ClusterRoom[]) => clusterForNewProject(clusters, now)?.id;
const newer = { createdAt: before(10) };

test("the oldest cluster with room is filled first, whatever the order they are told in", () => {
  const [old, young] = [a("old", { pods: 799 }), a("young", newer)];
  expect([chosen(old, young), chosen(young, old)]).toEqual(["old", "old"]);
  expect([chosen(a("x"), a("y")), chosen(a("y"), a("x"))]).toEqual(["x", "x"]);
});

test("one where the next cluster is due is passed by, against its own limit", () => {
  expect(chosen(a("full", { pods: 800 }), a("young", newer))).toBe("young");
  expect(chosen(a("small", { pods: 80, podsSoftLimit: 100 }), a("young", newer))).toBe("young");
});

test("where all are full it is the emptiest, and one that told nothing yet has room", () => {
  expect(chosen(a("fuller", { pods: 990 }), a("full", { pods: 900, ...newer }))).toBe("full");
  expect(chosen(a("full", { pods: 900 }), a("untold", { pods: null, podsSoftLimit: null, ...newer }))).toBe(
    "untold",
  );
});

test("one that is silent is taken where there is no other", () => {
  const silent = a("silent", { lastSeenAt: before(11) });
  expect(chosen(silent, a("full", { pods: 990, ...newer }))).toBe("full");
  expect(chosen(silent)).toBe("silent");
  expect(chosen(a("new", { lastSeenAt: null }))).toBe("new");
  expect(chosen()).toBeUndefined();
});
