/**
 * A build that must end now. `reason` is the sentence for the customer; a cancelled build has none. Thrown out of
 * whatever the build was doing and turned into its status in one place.
 */
export class BuildStopped extends Error {
  override readonly name = "BuildStopped";
  readonly isCancelled: boolean;

  constructor(reason: string, options: { isCancelled?: boolean } = {}) {
    super(reason);
    this.isCancelled = options.isCancelled ?? false;
  }
}

/** The build cannot succeed, and it is the source or its settings that must change. */
export const stop = (reason: string): never => {
  throw new BuildStopped(reason);
};
