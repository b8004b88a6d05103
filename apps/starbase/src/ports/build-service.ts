import type { DebianPackage } from "@starform/build-plan/components/debian";
import type { PlanOutcome } from "@starform/build-plan/plan-source";

/** What is to be built. `contextDir` is a private copy of the source that the builder may read until the build ends. */
export type BuildSpec = {
  readonly buildId: string;
  readonly workspaceId: string;
  readonly projectId: string;
  readonly serviceId: string;
  readonly contextDir: string;
  readonly outcome: Extract<PlanOutcome, { ok: true }>;
  /** Variables the build may see; those in `secretNames` only as secrets. */
  readonly variables: Readonly<Record<string, string>>;
  readonly secretNames: readonly string[];
  readonly noCache: boolean;
  readonly limits: BuildLimits;
  /** For the image's config, where the builder's images have one. Equal builds have equal ones. */
  readonly labels: Readonly<Record<string, string>>;
};

/** What one build may use, by its workspace's plan. A builder that cannot hold one of them says so in the log. */
export type BuildLimits = {
  readonly wallClockMs: number;
  /** In thousandths of a processor. */
  readonly cpuMillisMax: number;
  readonly memoryBytesMax: number;
  readonly processesMax: number;
  /** The work tree, its temporary files and what the build adds to its caches, together. */
  readonly diskBytesMax: number;
};

export type BuildHandle = { readonly buildId: string; readonly workspaceId: string };

export type BuildLogLine = {
  readonly tsMs: number;
  /** 1, 2, 3 … within the build. */
  readonly seq: number;
  readonly step: string;
  readonly stream: "stdout" | "stderr" | "status";
  readonly text: string;
  /** On the line that ends a step. The builder's own preparations are no steps. */
  readonly ended?: StepEnd;
  /** From here on the finished image is put where it is kept. */
  readonly begins?: "push";
};

export type StepEnd = { readonly outcome: "done" | "cached" | "failed"; readonly durationMs?: number };

/** What a builder measured; what it cannot know is left out. */
export type BuildFacts = {
  /** Of the source, to the builder; files that it still had are not sent. */
  readonly sentBytes?: number;
  /** Of all that the build ran, together. */
  readonly peakMemoryBytes?: number;
  /** From the base up. */
  readonly layers?: readonly { readonly sizeBytes: number; readonly createdBy?: string }[];
  /** That the image holds; absent where they could not be read, or it is not made of Debian. */
  readonly debianPackages?: readonly DebianPackage[];
  /** It holds `/bin/sh`; absent where it does not, or the builder cannot look into it. */
  readonly hasShell?: true;
};

export type BuildStatus =
  | { readonly state: "running" }
  | {
      readonly state: "succeeded";
      readonly image: string;
      readonly imageDigest: string;
      readonly sizeBytes: number;
      readonly facts?: BuildFacts;
    }
  /** `reason` is one sentence for the customer: the step, its exit code, the last lines. */
  | { readonly state: "failed"; readonly reason: string; readonly facts?: BuildFacts }
  | { readonly state: "cancelled" }
  /** The builder knows no such build (another process ran it and died): submit it anew. */
  | { readonly state: "unknown" };

/** Builds images. One adapter is active per installation; all pass one conformance suite. */
export interface BuildService {
  /** Makes the workspace's place at the builder; calling it again changes nothing. */
  ensureProject(workspaceId: string): Promise<void>;
  /** Starts the build; the same `buildId` twice builds once. */
  submitBuild(spec: BuildSpec): Promise<BuildHandle>;
  /** Every line from the first, in order, until the build ends; rejects only when the signal fires. */
  streamLogs(handle: BuildHandle, signal: AbortSignal): AsyncIterable<BuildLogLine>;
  getBuildStatus(handle: BuildHandle): Promise<BuildStatus>;
  /** Ends within a second with nothing left running; a build that has ended stays as it ended. */
  cancelBuild(handle: BuildHandle): Promise<void>;
}

/** The reason of a build that met a full disk: to try again at once would only fill it again. */
export const buildDiskIsFull =
  "the build was stopped because the disk of the machine that builds is full: free some space there and deploy again";
