import type { PlatformPermission } from "@starform/contract/permissions";
import { Fault } from "@starform/std/fault";
import type { Actor } from "../identity/actor.ts";
import type { AccessStore } from "./ports.ts";

/** The workspace of those who run the installation, made with it. */
const homeSlug = "home";

/** Answers the workspace whose audit log tells of it; Fault `forbidden` for everybody else. */
export type AuthorizePlatform = (
  actor: Actor,
  permission: PlatformPermission,
) => Promise<{ readonly workspaceId: string }>;

/**
 * Who runs the platform is named in the installation's settings, by e-mail: no role in a workspace makes anybody that.
 * A token does it only where it was made for the whole of the owner's own workspace `home`, so that one made for a
 * customer's workspace opens no more than that.
 */
export const platformAuthorizer =
  ({
    access,
    owners,
  }: {
    access: Pick<AccessStore, "workspacesOf">;
    owners: readonly string[];
  }): AuthorizePlatform =>
  async (actor, permission) => {
    const refuse = (why: string): never => {
      throw new Fault("forbidden", `clusters are for the platform's owner: ${why}`);
    };
    if (!owners.includes(actor.email.toLowerCase())) return refuse(`${actor.email} is not named as one`);
    if (actor.projectId) return refuse("this token is limited to one project");
    if (actor.scope === "read" && !permission.endsWith(".read"))
      throw new Fault("forbidden", "this token may only read: use one with the scope `write`");
    const home = (await access.workspacesOf(actor.userId)).find(
      ({ workspace, role }) => workspace.slug === homeSlug && role === "owner",
    );
    if (!home) return refuse(`they own the workspace ${homeSlug}, and you do not`);
    if (actor.workspaceId && actor.workspaceId !== home.workspace.id)
      return refuse(`this token is for another workspace than ${homeSlug}`);
    return { workspaceId: home.workspace.id };
  };
