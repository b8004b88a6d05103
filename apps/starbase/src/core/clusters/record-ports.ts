/** A cluster as those who run the platform see it. */
export type ClusterRecord = {
  readonly id: string;
  readonly regionId: string;
  readonly runtime: string;
  readonly shuttleVersion: string | null;
  readonly kubernetesVersion: string | null;
  readonly desiredVersion: number;
  readonly projects: number;
  readonly pods: number | null;
  readonly podsSoftLimit: number | null;
  readonly lastSeenAt: Date | null;
  readonly createdAt: Date;
};

/** No tenant owns a cluster: every call is authorized as the platform's. */
export interface ClusterRecordStore {
  /** Oldest first; those after the one with that id. */
  page(page: { readonly limit: number; readonly after?: string }): Promise<readonly ClusterRecord[]>;
  byId(id: string): Promise<ClusterRecord | undefined>;
  /** With its region, where that is new. */
  insert(cluster: {
    readonly id: string;
    readonly regionId: string;
    readonly tokenHash: Buffer;
    readonly createdAt: Date;
  }): Promise<void>;
  /** The old token opens nothing from then on. Answers whether there is such a cluster. */
  replaceToken(id: string, tokenHash: Buffer): Promise<boolean>;
}
