import type { BuildReport } from "@starform/contract/builds";
import type { Plan } from "@starform/contract/plans";
import type { ServiceSettings } from "@starform/contract/services";
import type { StageName } from "@starform/contract/states";
import type { BuildLogLine } from "../../ports/build-service.ts";
import type { BuildDocument } from "./documents/build-document.ts";

/** Which code a deployment is made from; stored with the deployment, so that a repeat takes the same. */
export type SourceRef =
  | { readonly kind: "upload"; readonly sourceId: string }
  /** A commit in the built-in repository of the service. */
  | { readonly kind: "commit"; readonly sha: string }
  /** A branch or commit of somebody's repository; `sha` is filled in by the clone. */
  | { readonly kind: "git"; readonly url: string; readonly ref: string };

export type Commit = {
  readonly sha: string;
  readonly ref: string;
  readonly message: string;
  readonly author: string;
};

/** All a build needs to know, read afresh when it begins. */
export type BuildWork = {
  readonly deploymentId: string;
  readonly buildId: string;
  readonly workspaceId: string;
  readonly projectId: string;
  readonly serviceId: string;
  readonly serviceName: string;
  readonly environment: string;
  readonly source: SourceRef;
  readonly settings: ServiceSettings;
  readonly variables: Readonly<Record<string, string>>;
  readonly secretNames: readonly string[];
  readonly noCache: boolean;
  readonly plan: Plan;
};

/** What a build tells the deployment it is for. Each call is compare-and-set: a late Worker changes nothing final. */
export interface DeploymentProgress {
  /** Moves `pending` (or a `building` whose Worker died) to `building`; undefined when there is nothing to build any more. */
  beginBuild(deploymentId: string): Promise<BuildWork | undefined>;
  beginStage(deploymentId: string, stage: StageName): Promise<void>;
  endStage(
    deploymentId: string,
    stage: StageName,
    outcome: "succeeded" | "failed" | "skipped",
  ): Promise<void>;
  /** What the clone found out about a `git` source. */
  setCommit(deploymentId: string, commit: Commit): Promise<void>;
  /** Keeps what the build says of its image; again, it replaces. */
  keepDocuments(buildId: string, documents: readonly BuildDocument[]): Promise<void>;
  /** Keeps what was measured so far, of whatever end. */
  keepReport(buildId: string, report: BuildReport): Promise<void>;
  /** Moves to `built` and on to `deploying`, in one transaction. */
  finishBuild(
    deploymentId: string,
    built: {
      image: string;
      imageDigest: string;
      sizeBytes: number;
      /** Facts about the plan worth keeping: providers, versions, decisions. */
      info: Readonly<Record<string, unknown>>;
      /** Settings that the repository's starform.json states; they win over the stored ones for this deployment. */
      fileSettings: Partial<ServiceSettings>;
    },
  ): Promise<void>;
  failBuild(deploymentId: string, reason: string): Promise<void>;
}

/** Where code is kept until it is built. */
export interface SourceStore {
  /** Takes a gzipped tar; the same bytes are the same source. Faults: `too_large`, `malformed`. */
  saveUpload(
    serviceId: string,
    body: AsyncIterable<Uint8Array>,
  ): Promise<{ sourceId: string; sizeBytes: number }>;
  hasUpload(serviceId: string, sourceId: string): Promise<boolean>;
  /** Forgets all code of a service; again, it changes nothing. */
  removeService(serviceId: string): Promise<void>;
  /**
   * Lays the source out in `dir`, which must be empty. A Fault `invalid` says what is wrong with it (repository not
   * reachable, no such branch, links that lead outside).
   */
  checkOut(
    serviceId: string,
    source: SourceRef,
    dir: string,
    signal: AbortSignal,
  ): Promise<{ commit?: Commit }>;
  /**
   * Lays out in `dir`, which must be empty, what stands at an address, signed in as the project is, and keeps nothing
   * else of it. `ref` null is the default branch, whose name is answered where the server says it. Faults as of `checkOut`.
   */
  fetchOnce(
    fetch: { readonly id: string; readonly projectId: string },
    source: { readonly url: string; readonly ref: string | null },
    dir: string,
    signal: AbortSignal,
  ): Promise<{ commit: Commit; branch: string | null }>;
}

/** What was pushed to the built-in repository of a service, as it stands at a commit. */
export interface PushedTrees {
  /**
   * The paths that differ between two commits, in whatever way they are related, what was deleted among them. Undefined
   * where they cannot be compared: one is not there any more, or the list would be longer than 4 MB.
   */
  changedPaths(serviceId: string, from: string, to: string): Promise<readonly string[] | undefined>;
  /** The text of a file (of a larger one its first megabyte), by its path from the top; undefined if there is none. */
  readFile(serviceId: string, sha: string, path: string): Promise<string | undefined>;
}

/** Takes the lines of a build; never blocks. */
export interface BuildLog {
  line(work: BuildWork, line: BuildLogLine): void;
}
