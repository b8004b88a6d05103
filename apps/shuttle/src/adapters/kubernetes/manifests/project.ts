import type { DesiredService } from "@starform/contract/clusters";

/** What every service of a project says alike. */
export type Project = Pick<DesiredService, "workspace_id" | "project_id" | "project_slug" | "namespace">;
