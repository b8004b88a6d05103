import type { Clock } from "@starform/std/clock";
import { uuid } from "@starform/std/ids";
import type { AuditStore } from "./ports.ts";

export type Recorded = {
  workspaceId: string;
  projectId?: string;
  event: string;
  actor: string;
  subject: string;
  detail?: Record<string, unknown>;
};

/** Writes an audit entry in the transaction of what it is about. */
export const record = (
  audit: AuditStore,
  clock: Clock,
  { projectId, detail, ...entry }: Recorded,
): Promise<void> => {
  const at = clock.now();
  return audit.add({
    id: uuid(at.getTime()),
    at,
    projectId: projectId ?? null,
    detail: detail ?? {},
    ...entry,
  });
};
