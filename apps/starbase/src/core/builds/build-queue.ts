import type { Plan } from "@starform/contract/plans";

/** A deployment in line for a builder, with all that decides its turn, read afresh. */
export type QueuedBuild = {
  readonly deploymentId: string;
  readonly workspaceId: string;
  readonly plan: Plan;
  readonly serviceId: string;
  readonly environmentId: string;
  readonly isProtected: boolean;
  readonly isEphemeral: boolean;
  /** When it got in line, or the one that it replaced there did. */
  readonly enqueuedAt: Date;
  /** Not begun before: a push that may yet be replaced. */
  readonly readyAt: Date;
  /** Of the job that builds it; null while it waits. */
  readonly ticket: string | null;
  /** When it was handed to that job. */
  readonly claimedAt: Date | null;
};
export type NewQueuedBuild = Pick<
  QueuedBuild,
  "deploymentId" | "workspaceId" | "serviceId" | "environmentId" | "enqueuedAt" | "readyAt"
>;

/** Builds that wait or run, of the whole installation: whose turn it is depends on everybody. */
export interface BuildQueue {
  add(build: NewQueuedBuild): Promise<void>;
  /** Takes back one that waits; answers since when it did. One that has begun stays until it is released. */
  remove(deploymentId: string): Promise<Date | undefined>;
  /** Everyone in line, and everyone at a builder. */
  all(): Promise<QueuedBuild[]>;
  byTicket(ticket: string): Promise<string | undefined>;
  /** Undefined when it is not in line; `ticket` as in QueuedBuild. */
  byDeployment(deploymentId: string): Promise<Pick<QueuedBuild, "ticket"> | undefined>;
  /** Until the transaction ends nobody else claims, so that limits are kept by any number of Workers. */
  lockClaims(): Promise<void>;
  /** Hands the build over to the job. */
  claim(deploymentId: string, ticket: string, at: Date): Promise<void>;
  /** The job's build is over, and no longer counts; again, it changes nothing. */
  release(ticket: string): Promise<void>;
}
