import { createHash } from "node:crypto";
import { firstEnvironment } from "@starform/contract/names";
import type { Clock } from "@starform/std/clock";
import { Fault } from "@starform/std/fault";
import { uuid } from "@starform/std/ids";
import type { Authorize, ProjectAccess } from "../access/authorize.ts";
import { record } from "../audit/record.ts";
import { clusterForNewProject } from "../clusters/cluster-for-new-project.ts";
import type { Actor } from "../identity/actor.ts";
import type { Transact } from "../stores.ts";

export type NewProject = {
  readonly workspace?: string | undefined;
  readonly slug: string;
  readonly name?: string | undefined;
};

/** A project on the cluster of the installation that has room, with its first environment. */
export const createProject =
  ({ transact, authorize, clock }: { transact: Transact; authorize: Authorize; clock: Clock }) =>
  async (actor: Actor, input: NewProject): Promise<ProjectAccess> => {
    const { workspace } = await authorize.workspace(actor, input.workspace, "projects.create");
    return transact(async ({ projects, environments, clusters, audit }) => {
      const now = clock.now();
      const cluster = clusterForNewProject(await clusters.rooms(), now);
      if (!cluster)
        throw new Fault(
          "unavailable",
          "no cluster is registered yet: wait until Shuttle is up, then try again",
        );
      const plain = `proj-${input.slug}`;
      const isTaken = await projects.namespaceIsTaken(cluster.id, plain);
      const project = {
        id: uuid(now.getTime()),
        workspaceId: workspace.id,
        workspaceSlug: workspace.slug,
        slug: input.slug,
        name: input.name ?? input.slug,
        clusterId: cluster.id,
        namespace: shorten(isTaken ? `proj-${workspace.slug}-${input.slug}` : plain),
        createdAt: now,
      };
      await projects.insert(project);
      await environments.insert({
        id: uuid(now.getTime()),
        projectId: project.id,
        name: firstEnvironment,
        isProtected: false,
        isEphemeral: false,
        createdAt: now,
      });
      await record(audit, clock, {
        workspaceId: workspace.id,
        projectId: project.id,
        event: "project.created",
        actor: actor.email,
        subject: input.slug,
      });
      return { project, role: "admin" };
    });
  };

/** A namespace has at most 63 characters; a longer name keeps its beginning and gets a hash. */
export function shorten(namespace: string): string {
  if (namespace.length <= 63) return namespace;
  const hash = createHash("sha256").update(namespace).digest("hex").slice(0, 8);
  return `${namespace.slice(0, 54).replace(/-+$/, "")}-${hash}`;
}
