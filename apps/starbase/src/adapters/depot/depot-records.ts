/** A build at Depot that this installation began and has not ended yet. */
export type OpenDepotBuild = {
  readonly buildId: string;
  /** Opens the build's machine to whoever has it. */
  readonly token: string;
};

/** What must outlive a Worker: which projects and builds at Depot are ours. */
export interface DepotRecords {
  /** The workspace's project; made by `make` when it has none, by one caller at a time over all Workers. */
  project(workspaceId: string, make: () => Promise<string>): Promise<string>;
  /** Written down before its machine is asked for. */
  add(build: OpenDepotBuild): Promise<void>;
  /** Says that its Worker lives. */
  touch(buildId: string): Promise<void>;
  remove(buildId: string): Promise<void>;
  /** Those whose Worker has not said so for `forSeconds`. */
  abandoned(forSeconds: number): Promise<OpenDepotBuild[]>;
  /** Projects of workspaces that are gone; `remove` takes one out of the records. */
  orphans(): Promise<{ readonly projectId: string; remove(): Promise<void> }[]>;
}
