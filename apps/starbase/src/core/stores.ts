import type { Announce } from "../ports/changes.ts";
import type { JobQueue } from "../ports/job-queue.ts";
import type { AccessStore } from "./access/ports.ts";
import type { AuditStore } from "./audit/ports.ts";
import type { BuildQueue } from "./builds/build-queue.ts";
import type { BuildStore } from "./builds/build-store.ts";
import type { ClusterStore } from "./clusters/ports.ts";
import type { ClusterRecordStore } from "./clusters/record-ports.ts";
import type { DeploymentStore } from "./deployments/ports.ts";
import type { DesiredStateStore } from "./desired-state/ports.ts";
import type { IdempotencyStore } from "./idempotency.ts";
import type { ProjectCredentialStore } from "./images/ports.ts";
import type { RetentionStore } from "./images/retention-store.ts";
import type { SessionStore, TokenStore, UserStore } from "./identity/ports.ts";
import type { EnvironmentStore, ProjectStore, WorkspaceStore } from "./projects/ports.ts";
import type { ProposalStore } from "./proposals/ports.ts";
import type { ServiceStore } from "./services/ports.ts";
import type { VariableStore } from "./variables/ports.ts";

/** Everything that is kept, each by its own narrow port. */
export type Stores = {
  readonly users: UserStore;
  readonly tokens: TokenStore;
  readonly sessions: SessionStore;
  readonly access: AccessStore;
  readonly workspaces: WorkspaceStore;
  readonly projects: ProjectStore;
  readonly environments: EnvironmentStore;
  readonly services: ServiceStore;
  readonly proposals: ProposalStore;
  readonly variables: VariableStore;
  readonly deployments: DeploymentStore;
  readonly builds: BuildStore;
  readonly buildQueue: BuildQueue;
  readonly clusters: ClusterStore;
  readonly clusterRecords: ClusterRecordStore;
  readonly desired: DesiredStateStore;
  readonly credentials: ProjectCredentialStore;
  readonly retention: RetentionStore;
  readonly audit: AuditStore;
  readonly idempotency: IdempotencyStore;
};

/**
 * What one transaction may touch. Locks are taken in one order, so that no two wait for each other: the hold of a
 * workspace, that of a project, places by their ids, the project's row (`touch`), the cluster's (`bumpVersion`).
 */
export type UnitOfWork = Stores & { readonly jobs: JobQueue; readonly changes: Announce };

/** Runs `work` in one transaction: all of it is kept, or nothing. */
export type Transact = <T>(work: (uow: UnitOfWork) => Promise<T>) => Promise<T>;
