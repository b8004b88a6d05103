import type { RunNextBuild } from "../core/builds/run-next-build.ts";
import { buildRun } from "../core/deployments/jobs.ts";
import { handle, type JobHandler } from "../ports/job-queue.ts";

/** Builds what is next in line. When it is given up, the deployment fails with the last reason. */
export const buildRunJob = ({ run, giveUp }: RunNextBuild): JobHandler =>
  handle(
    buildRun,
    ({ ticket }, signal) => run(ticket, signal),
    ({ ticket }, reason) => giveUp(ticket, reason),
  );
