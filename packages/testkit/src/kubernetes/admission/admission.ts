import type { Cluster } from "../cluster.ts";
import type { Kind } from "../kinds/kind.ts";
import type { Stored } from "../model/object.ts";

export type AdmissionRequest = {
  readonly operation: "CREATE" | "UPDATE" | "DELETE";
  readonly kind: Kind;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly subresource?: string | undefined;
  readonly old?: Stored | undefined;
  readonly user: string;
  readonly dryRun: boolean;
  /** Says something to the caller that does not stop the request. */
  readonly warn: (text: string) => void;
};

/** A stage between the wish and the store: the first half changes objects, the second half refuses them. */
export type Admission = {
  readonly mutate?: (object: Stored, request: AdmissionRequest, cluster: Cluster) => Stored;
  readonly check?: (object: Stored, request: AdmissionRequest, cluster: Cluster) => void;
};

export const mutated = (object: Stored, request: AdmissionRequest, cluster: Cluster): Stored =>
  cluster.admission.reduce((before, { mutate }) => mutate?.(before, request, cluster) ?? before, object);

export const checked = (object: Stored, request: AdmissionRequest, cluster: Cluster): void => {
  for (const { check } of cluster.admission) check?.(object, request, cluster);
};
