/** Who calls, and what the way they are known by leaves of their rights. */
export type Actor = {
  readonly userId: string;
  readonly email: string;
  readonly name: string;
  readonly via: "session" | "token";
  readonly scope: "read" | "write";
  /** A token opens one workspace, and may open one project of it only. */
  readonly workspaceId: string | undefined;
  readonly projectId: string | undefined;
  /** When the token ends; what is made with it ends no later. */
  readonly expiresAt?: Date | null;
};
