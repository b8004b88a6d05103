/** A folder of one build, for its source. */
export type WorkDir = AsyncDisposable & {
  readonly path: string;
  has(file: string): Promise<boolean>;
};

/** Where sources lie while they are built. */
export interface WorkDirs {
  /** An empty private folder; what an earlier try left in it is gone. Disposing of it removes it. */
  open(buildId: string): Promise<WorkDir>;
}
