import { backoffMs, pause } from "@starform/std/retry";
import type { Kysely } from "kysely";
import type { Stores, Transact } from "../../core/stores.ts";
import { postgresAccessStore } from "./access-store.ts";
import { postgresAuditStore } from "./audit-store.ts";
import { postgresBuildQueue } from "./build-queue.ts";
import { postgresBuildStore } from "./build-store.ts";
import { announcer } from "./changes.ts";
import { postgresClusterRecordStore } from "./cluster-record-store.ts";
import { postgresClusterStore, postgresDesiredStateStore } from "./cluster-stores.ts";
import { postgresCredentialStore } from "./credential-store.ts";
import type { Db } from "./database.ts";
import { postgresDeploymentStore } from "./deployment-store.ts";
import { postgresIdempotencyStore } from "./idempotency-store.ts";
import { postgresSessionStore, postgresTokenStore, postgresUserStore } from "./identity-stores.ts";
import { postgresJobQueue } from "./job-queue.ts";
import { postgresEnvironmentStore, postgresProjectStore, postgresWorkspaceStore } from "./project-stores.ts";
import { postgresProposalStore } from "./proposal-store.ts";
import { postgresRetentionStore } from "./retention-store.ts";
import type { DB } from "./schema.gen.ts";
import { postgresServiceStore } from "./service-store.ts";
import { postgresVariableStore } from "./variable-store.ts";

export const postgresStores = (db: Db): Stores => ({
  users: postgresUserStore(db),
  tokens: postgresTokenStore(db),
  sessions: postgresSessionStore(db),
  access: postgresAccessStore(db),
  workspaces: postgresWorkspaceStore(db),
  projects: postgresProjectStore(db),
  environments: postgresEnvironmentStore(db),
  services: postgresServiceStore(db),
  proposals: postgresProposalStore(db),
  variables: postgresVariableStore(db),
  deployments: postgresDeploymentStore(db),
  builds: postgresBuildStore(db),
  buildQueue: postgresBuildQueue(db),
  clusters: postgresClusterStore(db),
  clusterRecords: postgresClusterRecordStore(db),
  desired: postgresDesiredStateStore(db),
  credentials: postgresCredentialStore(db),
  retention: postgresRetentionStore(db),
  audit: postgresAuditStore(db),
  idempotency: postgresIdempotencyStore(db),
});

const triesMax = 5;
/** Postgres ended one of two that waited for each other. */
const isDeadlock = (error: unknown): boolean => (error as { code?: string }).code === "40P01";

/**
 * One transaction over every store. One that Postgres ends to solve a deadlock is done again from its beginning, so
 * the work may keep nothing outside of it that a repeat would spoil.
 */
export const postgresTransact =
  (db: Kysely<DB>): Transact =>
  async (work) => {
    for (let attempt = 1; ; attempt++)
      try {
        return await db
          .transaction()
          .execute((tx) =>
            work({ ...postgresStores(tx), jobs: postgresJobQueue(tx), changes: announcer(tx) }),
          );
      } catch (error) {
        if (!isDeadlock(error) || attempt === triesMax) throw error;
        await pause(backoffMs({ firstMs: 10, maxMs: 200 }, attempt));
      }
  };
