import type { RunBuild } from "../core/builds/run-build.ts";
import type { DeploymentProgress } from "../core/builds/ports.ts";
import { buildRun } from "../core/deployments/jobs.ts";
import { handle, type JobHandler } from "../ports/job-queue.ts";

/** Builds what a deployment is made from. When it is given up, the deployment fails with the last reason. */
export const buildRunJob = (deps: {
  runBuild: RunBuild;
  progress: Pick<DeploymentProgress, "failBuild">;
}): JobHandler =>
  handle(
    buildRun,
    ({ deploymentId }, signal) => deps.runBuild(deploymentId, signal),
    ({ deploymentId }, reason) => deps.progress.failBuild(deploymentId, reason),
  );
