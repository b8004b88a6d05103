import * as contract from "@starform/contract/clusters";
import { wordsOf } from "@starform/std/fault";
import { storable } from "@starform/std/storable";
import type { FastifyInstance } from "fastify";
import type { TakenSnapshots } from "../core/clusters/take-reports.ts";
import type { ServeDesiredState } from "../core/desired-state/serve-desired-state.ts";
import type { Stores } from "../core/stores.ts";
import { serve, type ServeDeps } from "./serve.ts";

export type ClusterDeps = ServeDeps & {
  stores: Pick<Stores, "clusters">;
  serveDesiredState: ServeDesiredState;
  observe: (clusterId: string, report: contract.StatusReport) => Promise<string | undefined>;
  takeCronRun: (clusterId: string, run: contract.CronRunReport) => Promise<string | undefined>;
  takeSnapshots: (clusterId: string, snapshots: readonly contract.Snapshot[]) => Promise<TakenSnapshots>;
};

/** What Shuttle calls. A token opens its own cluster only. */
export function clusterRoutes(app: FastifyInstance, deps: ClusterDeps): void {
  serve(app, deps, contract.getDesiredState, async ({ cluster, query, request, reply, signal }) => {
    const answer = await deps.serveDesiredState(
      cluster.id,
      request.headers["if-none-match"],
      query.wait * 1_000,
      signal,
    );
    if (answer === "unchanged") reply.code(304).send();
    else
      reply
        .code(200)
        .header("etag", answer.etag)
        .headers(answer.signature ? { [contract.signatureHeader]: answer.signature } : {})
        .type("application/json")
        .serializer(String)
        .send(answer.body);
    return undefined as never;
  });
  serve(app, deps, contract.postSnapshots, async ({ cluster, body, request }) => {
    const taken = await deps.takeSnapshots(cluster.id, body.snapshots);
    if (taken.refused.length > 0)
      request.log.warn(
        { clusterId: cluster.id, count: taken.refused.length, first: taken.refused[0] },
        "snapshots of what is not on this cluster were refused",
      );
    return taken;
  });
  serve(app, deps, contract.postCapacity, ({ cluster, body }) =>
    deps.stores.clusters.setCapacity(cluster.id, body, deps.clock.now()),
  );
  serve(app, deps, contract.postRegister, async ({ cluster, body }) => {
    await deps.stores.clusters.setRegistration(cluster.id, body, body.runtime, deps.clock.now());
    return { cluster_id: cluster.id, region: cluster.regionId };
  });
  serve(app, deps, contract.postStatus, async ({ cluster, body, request }) => {
    const refused: { service_id: string; reason: string }[] = [];
    /** Each report by itself: one that cannot be taken keeps none of the others out. */
    const take = async (serviceId: string, work: () => Promise<string | undefined>) => {
      const reason = await work().catch((error: unknown) => {
        request.log.error({ err: error, serviceId }, "a status report could not be taken");
        return `it could not be taken: ${wordsOf(error)}`;
      });
      if (reason) refused.push({ service_id: serviceId, reason });
    };
    for (const report of body.reports)
      await take(report.service_id, () => deps.observe(cluster.id, storable(report)));
    for (const run of body.cron_runs ?? [])
      await take(run.service_id, () => deps.takeCronRun(cluster.id, storable(run)));
    return { accepted: body.reports.length + (body.cron_runs?.length ?? 0) - refused.length, refused };
  });
}
