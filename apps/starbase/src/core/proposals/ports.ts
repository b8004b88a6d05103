import type { ProposalStatus, ProposedService } from "@starform/contract/proposals";
import type { Commit } from "../builds/ports.ts";

/** Which services a repository seems to hold: asked for by a person, found by the Worker. */
export type Proposal = {
  readonly id: string;
  readonly workspaceId: string;
  readonly projectId: string;
  readonly url: string;
  /** What was asked for; null: the default branch. */
  readonly ref: string | null;
  readonly status: ProposalStatus;
  readonly reason: string | null;
  readonly hint: string | null;
  /** Of one that is ready. */
  readonly found: Found | null;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly endedAt: Date | null;
  readonly expiresAt: Date;
};

export type Found = {
  /** Null where the server does not say what its default branch is. */
  readonly branch: string | null;
  readonly commit: Commit;
  readonly services: readonly ProposedService[];
  readonly notes: readonly string[];
};

/** How one ends. */
export type ProposalEnd =
  | { readonly status: "ready"; readonly found: Found }
  | { readonly status: "failed"; readonly reason: string; readonly hint: string | null };

export interface ProposalStore {
  insert(proposal: Proposal): Promise<void>;
  byId(projectId: string, id: string): Promise<Proposal | undefined>;
  /** How many of the workspace are queued or running. */
  countOpen(workspaceId: string): Promise<number>;
  /** Of all projects, those that were asked for before then and have not ended. */
  openBefore(before: Date): Promise<Proposal[]>;
  /** Makes it `running` unless it has ended; undefined where there is none to run. */
  begin(projectId: string, id: string): Promise<Proposal | undefined>;
  /** Ends it unless it has ended; undefined where there is none to end. */
  end(projectId: string, id: string, end: ProposalEnd, at: Date): Promise<Proposal | undefined>;
  /** Forgets those of all projects whose time is over. */
  prune(now: Date): Promise<void>;
}
