import type { BuildReport } from "@starform/contract/builds";
import type { BuildDocument } from "./documents/build-document.ts";

/** What is known of builds beside the images they made. */
export interface BuildStore {
  /** Notes that a builder took it on. */
  begin(buildId: string, at: Date): Promise<void>;
  keepReport(buildId: string, report: BuildReport): Promise<void>;
  keepDocuments(buildId: string, documents: readonly BuildDocument[], at: Date): Promise<void>;
  /** Those of a build that the caller may see. */
  documents(buildId: string): Promise<BuildDocument[]>;
  /** Tenant unknown yet: only for deciding who may see it. */
  byId(buildId: string): Promise<BuildRecord | undefined>;
  /**
   * How long the last successful builds took, at most `limit`, by service; nothing for those that have none and whose
   * workspace has none either.
   */
  lastTook(owners: readonly BuildOwner[], limit: number): Promise<Map<string, LastTook>>;
}

/** Newest first; of the service where it has built before, else of all its workspace. */
export type LastTook = { readonly basis: "service" | "workspace"; readonly tookMs: readonly number[] };

export type BuildOwner = { readonly workspaceId: string; readonly serviceId: string };

export type BuildRecord = BuildOwner & {
  readonly id: string;
  readonly projectId: string;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  readonly image: string | null;
  readonly imageDigest: string | null;
  readonly info: Readonly<Record<string, unknown>>;
  readonly report: BuildReport | null;
};
