import type { Clock } from "@starform/std/clock";
import { Fault } from "@starform/std/fault";
import type { Authorize } from "../access/authorize.ts";
import { record } from "../audit/record.ts";
import { cancelOpen } from "../deployments/cancel.ts";
import { removedServices } from "../desired-state/removed-services.ts";
import type { Actor } from "../identity/actor.ts";
import { cleanUpAfter } from "../services/clean-up-after.ts";
import type { Transact } from "../stores.ts";
import { projectCleanUp } from "./jobs.ts";

/** Removes a project with all it holds; its services leave the desired state with it. */
export const deleteProject =
  ({ transact, authorize, clock }: { transact: Transact; authorize: Authorize; clock: Clock }) =>
  async (actor: Actor, ref: string, confirm: string): Promise<void> => {
    const { project } = await authorize.project(actor, ref, "project.delete");
    if (confirm !== project.slug)
      throw new Fault("invalid", `to delete the project, confirm with its slug: ${project.slug}`);
    await transact(async (uow) => {
      for (const environment of await uow.environments.ofProject(project.id))
        for (const place of await uow.services.allPlaced(project.id, environment.id))
          await cancelOpen(uow, clock, place, "the project was deleted");
      await record(uow.audit, clock, {
        workspaceId: project.workspaceId,
        projectId: project.id,
        event: "project.deleted",
        actor: actor.email,
        subject: project.slug,
      });
      for (const service of await uow.services.ofProject(project.id)) await cleanUpAfter(uow, clock, service);
      await uow.jobs.enqueue(projectCleanUp, { workspaceId: project.workspaceId, projectId: project.id });
      const rows = await uow.desired.rowsOf({ projectId: project.id });
      await uow.projects.remove(project.workspaceId, project.id);
      await uow.clusters.bumpVersion(project.clusterId, removedServices(rows));
    });
  };
