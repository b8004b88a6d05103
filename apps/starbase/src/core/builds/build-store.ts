/** What is known of builds beside the images they made. */
export interface BuildStore {
  /** Notes that a builder took it on. */
  begin(buildId: string, at: Date): Promise<void>;
  /** How long the last successful builds took, newest first, at most `limit`: of a service, and of its workspace. */
  lastTook(owner: BuildOwner, limit: number): Promise<{ service: number[]; workspace: number[] }>;
}

export type BuildOwner = { readonly workspaceId: string; readonly serviceId: string };
