import type { PlanOutcome } from "@starform/build-plan/plan-source";
import { isServeCommand } from "@starform/build-plan/static-server/carry-static-server";

/** What is known of an image by how it was made. What nobody knows is left out: a wrong trait breaks an app. */
export type ImageTraits = {
  /** It runs without writing outside of /tmp and its volumes. */
  readonly hasReadOnlyRoot?: true;
  /** It holds `/bin/sh`. */
  readonly hasShell?: true;
};

/**
 * Only of our own static file server it is certain that it writes nothing (ADR 3). The start command of a plan is a
 * shell's; into the image of a Dockerfile its builder has looked.
 */
export function imageTraitsOf(outcome: PlanOutcome, { hasShell }: { hasShell: boolean }): ImageTraits {
  const isPlan = outcome.ok && outcome.kind === "plan";
  return {
    ...(isPlan && isServeCommand(outcome.plan.deploy.startCommand ?? "") && { hasReadOnlyRoot: true }),
    ...((isPlan || hasShell) && { hasShell: true }),
  };
}
