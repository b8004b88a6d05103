import type { CronRunReport, Snapshot } from "@starform/contract/clusters";
import type { Clock } from "@starform/std/clock";
import type { Transact } from "../stores.ts";

type Deps = { transact: Transact; clock: Clock };

/** Counts what was not counted before; a snapshot of a service that is not on this cluster is left out. */
export const takeSnapshots =
  ({ transact, clock }: Deps) =>
  (clusterId: string, snapshots: readonly Snapshot[]): Promise<number> =>
    transact(async ({ clusters, desired }) => {
      const ours = new Set<string>();
      for (const projectId of new Set(snapshots.map((s) => s.project_id)))
        if ((await desired.clusterOf(projectId)) === clusterId) ours.add(projectId);
      return clusters.takeSnapshots(
        clusterId,
        snapshots.filter((s) => ours.has(s.project_id)),
        clock.now(),
      );
    });

/** Keeps the history of a cron run; answers why it cannot be taken, or undefined. */
export const takeCronRun =
  ({ transact }: Deps) =>
  (clusterId: string, run: CronRunReport): Promise<string | undefined> =>
    transact(async ({ clusters, desired }) => {
      const found = await desired.placeOn(clusterId, run.service_id, run.environment);
      if (!found) return "this cluster has no such service in this environment";
      await clusters.takeCronRun(
        { serviceId: found.place.id, environmentId: found.place.environmentId },
        run,
      );
      return undefined;
    });
