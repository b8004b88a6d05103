import type { PlanOutcome } from "@starform/build-plan/plan-source";
import { isServeCommand } from "@starform/build-plan/static-server/carry-static-server";

/** What is known of an image by how it was made. What nobody knows is left out: a wrong trait breaks an app. */
export type ImageTraits = {
  /** It runs without writing outside of /tmp and its volumes. */
  readonly hasReadOnlyRoot?: true;
};

/** Only of our own static file server it is certain that it writes nothing (ADR 3). */
export const imageTraitsOf = (outcome: PlanOutcome): ImageTraits =>
  outcome.ok && outcome.kind === "plan" && isServeCommand(outcome.plan.deploy.startCommand ?? "")
    ? { hasReadOnlyRoot: true }
    : {};
