import type { Kysely } from "kysely";
import type { Stores, Transact } from "../../core/stores.ts";
import { postgresAccessStore } from "./access-store.ts";
import { postgresAuditStore } from "./audit-store.ts";
import { announcer } from "./changes.ts";
import { postgresClusterStore, postgresDesiredStateStore } from "./cluster-stores.ts";
import type { Db } from "./database.ts";
import { postgresDeploymentStore } from "./deployment-store.ts";
import { postgresSessionStore, postgresTokenStore, postgresUserStore } from "./identity-stores.ts";
import { postgresJobQueue } from "./job-queue.ts";
import { postgresEnvironmentStore, postgresProjectStore, postgresWorkspaceStore } from "./project-stores.ts";
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
  variables: postgresVariableStore(db),
  deployments: postgresDeploymentStore(db),
  clusters: postgresClusterStore(db),
  desired: postgresDesiredStateStore(db),
  audit: postgresAuditStore(db),
});

/** One transaction over every store. */
export const postgresTransact =
  (db: Kysely<DB>): Transact =>
  (work) =>
    db
      .transaction()
      .execute((tx) => work({ ...postgresStores(tx), jobs: postgresJobQueue(tx), changes: announcer(tx) }));
