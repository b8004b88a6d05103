import { deploymentMoves, ServicePhase, type DeploymentStatus } from "@starform/contract/states";
import { expect, test } from "vitest";
import { saysDeployment, saysService } from "./status-words.ts";

const health = (phase: ServicePhase) => ({
  phase,
  readyReplicas: 0,
  desiredReplicas: 1,
  restarts: 0,
  reason: null,
  observedAt: null,
});
const latest = (status: DeploymentStatus) => ({ id: "d", status, reason: null });

test("every state has a word and a colour, and only what serves is green", () => {
  const words = (Object.keys(deploymentMoves) as DeploymentStatus[]).map((status) =>
    saysDeployment({ status, isActive: false }),
  );
  expect(new Set(words.map(({ word }) => word)).size).toBe(words.length);
  expect(words.filter(({ tone }) => tone === "good")).toEqual([]);
  expect(saysDeployment({ status: "deployed", isActive: true })).toEqual({ tone: "good", word: "Live" });
});

test("a service shows work under way before what runs, and a failed first deployment as failed", () => {
  expect(saysService({ health: health("running"), latestDeployment: latest("building") }).word).toBe(
    "Building",
  );
  expect(saysService({ health: health("running"), latestDeployment: latest("failed") }).word).toBe("Running");
  expect(saysService({ health: health("not_deployed"), latestDeployment: latest("failed") }).word).toBe(
    "Failed",
  );
  expect(saysService({ health: health("crashed"), latestDeployment: latest("deployed") })).toEqual({
    tone: "bad",
    word: "Crashed",
  });
});
