import type { SourceStore } from "../core/builds/ports.ts";
import type { removeImages } from "../core/images/remove-images.ts";
import { projectCleanUp } from "../core/projects/jobs.ts";
import { imagesCleanUp, serviceCleanUp } from "../core/services/jobs.ts";
import type { LogStore } from "../ports/log-store.ts";
import { handle, type JobHandler } from "../ports/job-queue.ts";

/** What is left of things that were deleted, outside the database. */
export const cleanUpJobs = ({
  sources,
  logs,
  removeImages: remove,
}: {
  removeImages: ReturnType<typeof removeImages>;
  sources: Pick<SourceStore, "removeService">;
  logs: Pick<LogStore, "deleteProject">;
}): JobHandler[] => [
  handle(serviceCleanUp, ({ serviceId }) => sources.removeService(serviceId)),
  handle(imagesCleanUp, (what) => remove(what)),
  handle(projectCleanUp, ({ workspaceId, projectId }) => logs.deleteProject(workspaceId, projectId)),
];
