import * as contract from "@starform/contract/cluster-records";
import type { FastifyInstance } from "fastify";
import type { NewCredentials } from "../core/clusters/manage-clusters.ts";
import type { ClusterRecord } from "../core/clusters/record-ports.ts";
import type { Actor } from "../core/identity/actor.ts";
import { cursorOn, paged } from "./pages.ts";
import { serve, type ServeDeps } from "./serve.ts";

export type ClusterRecordDeps = ServeDeps & {
  /** The public keys of desired state; undefined where it is not signed. */
  publicSigningKeys: string | undefined;
  listClusters: (actor: Actor, page: { limit: number; after?: string }) => Promise<readonly ClusterRecord[]>;
  createCluster: (actor: Actor, region: string) => Promise<NewCredentials>;
  rotateClusterToken: (actor: Actor, id: string) => Promise<NewCredentials>;
};

/** What those who run the platform call. */
export function clusterRecordRoutes(app: FastifyInstance, deps: ClusterRecordDeps): void {
  serve(app, deps, contract.listClusters, async ({ actor, query }) => {
    const records = await deps.listClusters(actor, { limit: query.limit + 1, ...cursorOn(query) });
    return paged(records, query.limit, presentCluster, ({ id }) => id);
  });
  serve(app, deps, contract.createCluster, async ({ actor, body }, joined) =>
    presentCredentials(await joined.createCluster(actor, body.region), joined),
  );
  serve(app, deps, contract.rotateClusterToken, async ({ actor, params }, joined) =>
    presentCredentials(await joined.rotateClusterToken(actor, params.cluster), joined),
  );
}

const presentCredentials = (
  { cluster, token }: NewCredentials,
  { publicSigningKeys }: ClusterRecordDeps,
): contract.ClusterCredentials => ({
  cluster: presentCluster(cluster),
  token,
  signingKeys: publicSigningKeys ?? null,
});

const presentCluster = ({
  regionId,
  lastSeenAt,
  createdAt,
  ...rest
}: ClusterRecord): contract.ClusterRecord => ({
  ...rest,
  region: regionId,
  lastSeenAt: lastSeenAt?.toISOString() ?? null,
  createdAt: createdAt.toISOString(),
});
