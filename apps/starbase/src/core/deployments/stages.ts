import type { StageName } from "@starform/contract/states";
import type { Stage } from "./ports.ts";

const order: readonly StageName[] = ["clone", "build", "push", "deploy"];

export const waitingStages = (): Stage[] =>
  order.map((name) => ({ name, startedAt: null, endedAt: null, outcome: "waiting" }));

/** Nothing to build: only the last stage is to come. */
export const skippedToDeploy = (): Stage[] =>
  order.map((name) => ({
    name,
    startedAt: null,
    endedAt: null,
    outcome: name === "deploy" ? "waiting" : "skipped",
  }));

export const beginStage = (stages: readonly Stage[], name: StageName, at: Date): Stage[] =>
  stages.map((stage) =>
    stage.name === name ? { name, startedAt: at.toISOString(), endedAt: null, outcome: "running" } : stage,
  );

export const endStage = (
  stages: readonly Stage[],
  name: StageName,
  outcome: "succeeded" | "failed" | "skipped",
  at: Date,
): Stage[] =>
  stages.map((stage) => (stage.name === name ? { ...stage, endedAt: at.toISOString(), outcome } : stage));

/** Whatever still ran ends with the deployment. */
export const endRunning = (stages: readonly Stage[], at: Date): Stage[] =>
  stages.map((stage) =>
    stage.outcome === "running"
      ? { ...stage, endedAt: at.toISOString(), outcome: "failed" }
      : stage.outcome === "waiting"
        ? { ...stage, outcome: "skipped" }
        : stage,
  );
