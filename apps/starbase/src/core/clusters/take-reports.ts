import type { CronRunReport, Snapshot, StatusReport } from "@starform/contract/clusters";
import type { Clock } from "@starform/std/clock";
import type { PlacedService } from "../services/ports.ts";
import type { Transact, UnitOfWork } from "../stores.ts";
import type { MeteredPlace } from "./ports.ts";

type Deps = { transact: Transact; clock: Clock };

export type TakenSnapshots = {
  readonly accepted: number;
  readonly repeated: number;
  readonly refused: { snapshot_id: string; reason: string }[];
};

/**
 * Counts what was not counted before. A cluster is believed about what runs on it and about nothing else: a snapshot
 * whose workspace, project, service and environment do not belong together on this cluster is refused, and named.
 */
export const takeSnapshots =
  ({ transact, clock }: Deps) =>
  (clusterId: string, snapshots: readonly Snapshot[]): Promise<TakenSnapshots> =>
    transact(async ({ clusters }) => {
      const asked = new Map(snapshots.map((snapshot) => [keyOf(snapshot), snapshot]));
      const places = new Set((await clusters.meteredPlaces(clusterId, [...asked.values()])).map(keyOf));
      const [ours, others] = [[] as Snapshot[], [] as Snapshot[]];
      for (const snapshot of snapshots) (places.has(keyOf(snapshot)) ? ours : others).push(snapshot);
      const accepted = await clusters.takeSnapshots(clusterId, ours, clock.now());
      const refused = others.map(({ snapshot_id, service_id, environment }) => ({
        snapshot_id,
        reason: `no service ${service_id} of that project and workspace is in ${environment} on this cluster`,
      }));
      return { accepted, repeated: ours.length - accepted, refused };
    });

const keyOf = ({ workspace_id, project_id, service_id, environment }: MeteredPlace): string =>
  [workspace_id, project_id, service_id, environment].join("/");

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

/** What the cluster no longer knows of and nobody saw end is over: of its Job, or of Shuttle's memory, nothing is left. */
export async function endUnseenRuns(
  { clusters }: UnitOfWork,
  { id, environmentId }: PlacedService,
  { runs_known }: StatusReport,
): Promise<void> {
  if (!runs_known) return;
  await clusters.endOtherRuns(
    { serviceId: id, environmentId },
    runs_known,
    "how it ended is not known: it is gone from the cluster, and nobody saw it end",
  );
}
