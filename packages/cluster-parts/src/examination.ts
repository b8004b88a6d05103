import type { KubeApi } from "@starform/kubernetes/kube-api";
import type { ClusterFacts } from "./cluster-facts.ts";

/** `error`: something does not work. `warning`: it works, and could be better or will not for ever. */
export type Finding = {
  readonly check: string;
  readonly level: "ok" | "warning" | "error";
  readonly says: string;
  /** What a person does about it; none for what is well. */
  readonly mend?: string;
};

type AskStarbase = (
  asked: { readonly url: string; readonly clusterId: string; readonly token: string },
  signal?: AbortSignal,
) => Promise<{ readonly version: number; readonly date: Date | undefined }>;

export type DoctorDeps = {
  readonly kube: KubeApi;
  readonly now: () => Date;
  /**
   * Asks Starbase for the cluster's desired state with its token. Rejects with the Fault that Starbase answers. Left out
   * where Shuttle runs elsewhere: then the rights are ours that are looked at, and what belongs to its pod is not.
   */
  readonly askStarbase?: AskStarbase | undefined;
  /** Whose it should be, where Shuttle runs elsewhere: apps of any other cluster id are an error. */
  readonly clusterId?: string | undefined;
};
export type Examination = DoctorDeps & {
  readonly facts: ClusterFacts;
  readonly signal?: AbortSignal | undefined;
};
export type Check = (examination: Examination) => Promise<readonly Finding[]>;
