import type { ProjectRole, WorkspaceRole } from "@starform/contract/permissions";
import type { Plan } from "@starform/contract/plans";
import type { Clock } from "@starform/std/clock";
import { Fault } from "@starform/std/fault";
import { uuid } from "@starform/std/ids";
import { notFound, type Authorize } from "../access/authorize.ts";
import type { Workspace } from "../access/ports.ts";
import { record } from "../audit/record.ts";
import type { Actor } from "../identity/actor.ts";
import type { Member } from "../projects/ports.ts";
import type { Transact, UnitOfWork } from "../stores.ts";

type Deps = { transact: Transact; authorize: Authorize; clock: Clock };

export const createWorkspace =
  ({ transact, clock, plan }: Deps & { plan: Plan }) =>
  (actor: Actor, { slug, name }: { slug: string; name?: string | undefined }): Promise<Workspace> => {
    if (actor.via === "token" && (actor.scope === "read" || actor.projectId))
      throw new Fault("forbidden", "this token is limited; create workspaces with one that is not");
    return transact(async ({ workspaces, audit }) => {
      const now = clock.now();
      const workspace = { id: uuid(now.getTime()), slug, name: name ?? slug, plan, createdAt: now };
      await workspaces.insert(workspace);
      await workspaces.putMember({
        workspaceId: workspace.id,
        userId: actor.userId,
        role: "owner",
        createdAt: now,
      });
      await record(audit, clock, {
        workspaceId: workspace.id,
        event: "workspace.created",
        actor: actor.email,
        subject: slug,
      });
      return workspace;
    });
  };

/** Adds a member or changes their role. Only an owner makes or unmakes owners, and one always stays. */
export const putMember =
  ({ transact, authorize, clock }: Deps) =>
  async (
    actor: Actor,
    ref: string,
    input: { email: string; role: WorkspaceRole; name?: string | undefined },
  ): Promise<Member<WorkspaceRole>> => {
    const { workspace, role: own } = await authorize.workspace(actor, ref, "members.write");
    return transact(async (uow) => {
      const user = await userOf(uow, clock, input);
      const members = await uow.workspaces.members(workspace.id);
      const before = members.find((member) => member.userId === user.id);
      if ((input.role === "owner" || before?.role === "owner") && own !== "owner")
        throw new Fault("forbidden", "only an owner makes or unmakes owners");
      if (input.role !== "owner") keepAnOwner(members, user.id);
      const member = {
        userId: user.id,
        email: user.email,
        name: user.name,
        role: input.role,
        createdAt: before?.createdAt ?? clock.now(),
      };
      await uow.workspaces.putMember({ workspaceId: workspace.id, ...member });
      await record(uow.audit, clock, {
        workspaceId: workspace.id,
        event: "member.changed",
        actor: actor.email,
        subject: user.email,
        detail: { role: input.role },
      });
      await uow.changes.announce({ kind: "identity" });
      return member;
    });
  };

export const deleteMember =
  ({ transact, authorize, clock }: Deps) =>
  async (actor: Actor, ref: string, email: string): Promise<void> => {
    const { workspace, role: own } = await authorize.workspace(actor, ref, "members.write");
    await transact(async ({ users, workspaces, audit, changes }) => {
      const members = await workspaces.members(workspace.id);
      const member = members.find((m) => m.email === email.toLowerCase());
      const user = member && (await users.byId(member.userId));
      if (!member || !user) return notFound("member", email);
      if (member.role === "owner" && own !== "owner")
        throw new Fault("forbidden", "only an owner removes an owner");
      keepAnOwner(members, member.userId);
      await workspaces.removeMember(workspace.id, member.userId);
      await record(audit, clock, {
        workspaceId: workspace.id,
        event: "member.removed",
        actor: actor.email,
        subject: email,
      });
      await changes.announce({ kind: "identity" });
    });
  };

function keepAnOwner(members: readonly Member<WorkspaceRole>[], leaving: string): void {
  const owners = members.filter((member) => member.role === "owner");
  if (owners.length === 1 && owners[0]?.userId === leaving)
    throw new Fault("conflict", "a workspace keeps at least one owner: make somebody else owner first");
}

async function userOf(
  { users }: UnitOfWork,
  clock: Clock,
  { email, name }: { email: string; name?: string | undefined },
) {
  const now = clock.now();
  await users.insert({
    id: uuid(now.getTime()),
    email,
    name: name ?? email.split("@")[0] ?? email,
    createdAt: now,
  });
  return (await users.byEmail(email))!;
}

export const putProjectMember =
  ({ transact, authorize, clock }: Deps) =>
  async (actor: Actor, ref: string, email: string, role: ProjectRole): Promise<Member<ProjectRole>> => {
    const { project } = await authorize.project(actor, ref, "project_members.write");
    return transact(async ({ workspaces, projects, audit, changes }) => {
      const member = (await workspaces.members(project.workspaceId)).find(
        (m) => m.email === email.toLowerCase(),
      );
      if (!member)
        throw new Fault(
          "conflict",
          `${email} is not in the workspace ${project.workspaceSlug} yet: an admin adds them there first`,
        );
      const added = {
        userId: member.userId,
        email: member.email,
        name: member.name,
        role,
        createdAt: clock.now(),
      };
      await projects.putMember({ projectId: project.id, ...added });
      await record(audit, clock, {
        workspaceId: project.workspaceId,
        projectId: project.id,
        event: "project_member.changed",
        actor: actor.email,
        subject: email,
        detail: { role },
      });
      await changes.announce({ kind: "identity" });
      return added;
    });
  };

export const deleteProjectMember =
  ({ transact, authorize, clock }: Deps) =>
  async (actor: Actor, ref: string, email: string): Promise<void> => {
    const { project } = await authorize.project(actor, ref, "project_members.write");
    await transact(async ({ users, projects, audit, changes }) => {
      const user = await users.byEmail(email);
      if (!user || !(await projects.removeMember(project.id, user.id))) return notFound("member", email);
      await record(audit, clock, {
        workspaceId: project.workspaceId,
        projectId: project.id,
        event: "project_member.removed",
        actor: actor.email,
        subject: email,
      });
      await changes.announce({ kind: "identity" });
    });
  };
