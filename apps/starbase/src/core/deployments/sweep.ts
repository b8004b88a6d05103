import type { Clock } from "@starform/std/clock";
import type { Transact } from "../stores.ts";
import { endWith, fallBack } from "./end.ts";

const graceMs = 3 * 60_000;

/** Ends deployments the cluster never answered for, so that nothing hangs for ever. Answers how many. */
export const sweepDeployments =
  ({ transact, clock }: { transact: Transact; clock: Clock }) =>
  (): Promise<number> =>
    transact(async (uow) => {
      let swept = 0;
      for (const deployment of await uow.deployments.openBefore(new Date(clock.now().getTime() - graceMs), [
        "deploying",
      ])) {
        const timeoutMs = (deployment.config?.healthCheck?.timeoutSeconds ?? 300) * 1_000;
        if ((deployment.deployingAt?.getTime() ?? 0) + timeoutMs + graceMs > clock.now().getTime()) continue;
        const clusterId = await uow.desired.clusterOf(deployment.projectId);
        const ended = await endWith(
          uow,
          clock,
          deployment,
          "failed",
          "the cluster did not report on this deployment in time: see whether Shuttle is running (`npm run status`), then redeploy",
        );
        if (ended && clusterId) await fallBack(uow, deployment, clusterId);
        if (ended) swept += 1;
      }
      return swept;
    });
