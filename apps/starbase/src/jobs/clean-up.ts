import type { SourceStore } from "../core/builds/ports.ts";
import { projectCleanUp } from "../core/projects/jobs.ts";
import { imagesCleanUp, serviceCleanUp } from "../core/services/jobs.ts";
import type { BuildService } from "../ports/build-service.ts";
import type { LogStore } from "../ports/log-store.ts";
import { handle, type JobHandler } from "../ports/job-queue.ts";

/** What is left of things that were deleted, outside the database. */
export const cleanUpJobs = ({
  sources,
  logs,
  builds,
}: {
  builds: Pick<BuildService, "removeImage">;
  sources: Pick<SourceStore, "removeService">;
  logs: Pick<LogStore, "deleteProject">;
}): JobHandler[] => [
  handle(serviceCleanUp, ({ serviceId }) => sources.removeService(serviceId)),
  handle(imagesCleanUp, async ({ images }) => {
    for (const image of images) await builds.removeImage(image);
  }),
  handle(projectCleanUp, ({ workspaceId, projectId }) => logs.deleteProject(workspaceId, projectId)),
];
