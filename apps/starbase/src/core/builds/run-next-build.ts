import type { Clock } from "@starform/std/clock";
import { uuid } from "@starform/std/ids";
import { buildRun, keyOfTicket } from "../deployments/jobs.ts";
import type { Transact, UnitOfWork } from "../stores.ts";
import { nextBuild } from "./fair-order.ts";
import type { DeploymentProgress } from "./ports.ts";
import type { RunBuild } from "./run-build.ts";

export type RunNextBuild = {
  /**
   * Runs the build whose turn it is, if there is one. The ticket keeps what it was given: run again (its Worker died, or
   * the platform failed), it builds the same one.
   */
  run(ticket: string, signal: AbortSignal): Promise<void>;
  /** The ticket is not tried again: its build has failed with the reason. */
  giveUp(ticket: string, reason: string): Promise<void>;
};

/** Sees to it that a builder looks at the line, at once or at a later time. */
export const callBuilder = ({ jobs }: Pick<UnitOfWork, "jobs">, runAt?: Date): Promise<void> => {
  const ticket = uuid();
  return jobs.enqueue(buildRun, { ticket }, { key: keyOfTicket(ticket), ...(runAt ? { runAt } : {}) });
};

export function runNextBuild({
  transact,
  clock,
  runBuild,
  progress,
}: {
  transact: Transact;
  clock: Clock;
  runBuild: RunBuild;
  progress: Pick<DeploymentProgress, "failBuild">;
}): RunNextBuild {
  const claim = (ticket: string): Promise<string | undefined> =>
    transact(async ({ buildQueue, changes }) => {
      const held = await buildQueue.byTicket(ticket);
      if (held) return held;
      await buildQueue.lockClaims();
      const now = clock.now();
      const next = nextBuild(await buildQueue.all(), now);
      if (!next) return undefined;
      await buildQueue.claim(next.deploymentId, ticket, now);
      await changes.announce({ kind: "build_queue" });
      return next.deploymentId;
    });
  const release = (ticket: string): Promise<void> =>
    transact(async (uow) => {
      // Without the lock a claim that still counts this one would find nothing, and nobody would call again.
      await uow.buildQueue.lockClaims();
      await uow.buildQueue.release(ticket);
      // What could not begin beside it may now.
      if ((await uow.buildQueue.all()).some((build) => build.ticket === null)) await callBuilder(uow);
      await uow.changes.announce({ kind: "build_queue" });
    });
  return {
    async run(ticket, signal) {
      const deploymentId = await claim(ticket);
      if (!deploymentId) return;
      await runBuild(deploymentId, signal);
      // A Worker that closes leaves its build to the next one, with its place at the builder.
      if (!signal.aborted) await release(ticket);
    },
    async giveUp(ticket, reason) {
      const deploymentId = await transact(({ buildQueue }) => buildQueue.byTicket(ticket));
      if (deploymentId) await progress.failBuild(deploymentId, reason);
      await release(ticket);
    },
  };
}

/**
 * Makes good what was lost: places at builders whose jobs are gone are free again, and a builder that should have been
 * called and was not (a plan that grew, say) is called.
 */
export const tendBuildQueue = ({ transact, clock }: { transact: Transact; clock: Clock }): Promise<void> =>
  transact(async (uow) => {
    await uow.buildQueue.lockClaims();
    for (const { ticket } of await uow.buildQueue.all())
      if (ticket !== null && !(await uow.jobs.isOpen(keyOfTicket(ticket))))
        await uow.buildQueue.release(ticket);
    if (nextBuild(await uow.buildQueue.all(), clock.now())) await callBuilder(uow);
  });
