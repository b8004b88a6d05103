import type { Clock } from "@starform/std/clock";
import { uuid } from "@starform/std/ids";
import { notFound } from "../access/authorize.ts";
import type { AuthorizePlatform } from "../access/platform-owner.ts";
import { record } from "../audit/record.ts";
import type { Actor } from "../identity/actor.ts";
import { hashOfSecret, newSecret } from "../identity/secret-token.ts";
import type { Transact } from "../stores.ts";
import type { ClusterRecord, ClusterRecordStore } from "./record-ports.ts";

type Deps = { transact: Transact; authorizePlatform: AuthorizePlatform; clock: Clock };
export type NewCredentials = { readonly cluster: ClusterRecord; readonly token: string };

export const listClusters =
  ({
    authorizePlatform,
    clusterRecords,
  }: Omit<Deps, "transact" | "clock"> & { clusterRecords: ClusterRecordStore }) =>
  async (actor: Actor, page: { limit: number; after?: string }): Promise<readonly ClusterRecord[]> => {
    await authorizePlatform(actor, "clusters.read");
    return clusterRecords.page(page);
  };

/** Makes the record that a Kubernetes cluster is installed for. */
export const createCluster =
  ({ transact, authorizePlatform, clock }: Deps) =>
  async (actor: Actor, region: string): Promise<NewCredentials> => {
    const { workspaceId } = await authorizePlatform(actor, "clusters.write");
    const [now, token] = [clock.now(), newSecret("sfc")];
    const id = uuid(now.getTime());
    return transact(async ({ clusterRecords, audit }) => {
      await clusterRecords.insert({ id, regionId: region, tokenHash: hashOfSecret(token), createdAt: now });
      const told = {
        workspaceId,
        event: "cluster.created",
        actor: actor.email,
        subject: id,
        detail: { region },
      };
      await record(audit, clock, told);
      return { cluster: await found(clusterRecords, id), token };
    });
  };

/** The cluster is refused from now on, and runs on with what it has, until somebody brings it the new token. */
export const rotateClusterToken =
  ({ transact, authorizePlatform, clock }: Deps) =>
  async (actor: Actor, id: string): Promise<NewCredentials> => {
    const { workspaceId } = await authorizePlatform(actor, "clusters.write");
    const token = newSecret("sfc");
    return transact(async ({ clusterRecords, audit }) => {
      if (!(await clusterRecords.replaceToken(id, hashOfSecret(token)))) return notFound("cluster", id);
      await record(audit, clock, {
        workspaceId,
        event: "cluster.token_rotated",
        actor: actor.email,
        subject: id,
      });
      return { cluster: await found(clusterRecords, id), token };
    });
  };

const found = async (records: ClusterRecordStore, id: string): Promise<ClusterRecord> =>
  (await records.byId(id)) ?? notFound("cluster", id);
