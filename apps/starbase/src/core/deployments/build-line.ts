import type { Clock } from "@starform/std/clock";
import { callBuilder } from "../builds/run-next-build.ts";
import type { PlacedService } from "../services/ports.ts";
import type { UnitOfWork } from "../stores.ts";
import { endWith, leaveLine } from "./end.ts";
import type { Deployment } from "./ports.ts";

export const debounceMs = 5_000;

/**
 * What waits gives way to what is newer; what is being built goes on, so that rapid pushing never starves. Answers since
 * when the place has been in line.
 */
export async function supersedePending(
  uow: UnitOfWork,
  clock: Clock,
  place: PlacedService,
  newer: Deployment,
): Promise<Date | undefined> {
  let since: Date | undefined;
  for (const open of await uow.deployments.open(place.id, place.environmentId)) {
    if (open.number >= newer.number || open.status !== "pending") continue;
    await endWith(uow, clock, open, "cancelled", `superseded by #${newer.number}`);
    const left = await leaveLine(uow, open.id);
    since ??= left;
  }
  return since;
}

/**
 * A first push starts at once; one that follows within five seconds waits them out, so that a third may replace it. Never
 * longer: a push before it may bear the time of a clock that was put back since.
 */
export async function getInLine(
  uow: UnitOfWork,
  clock: Clock,
  { id, workspaceId, projectId, serviceId, environmentId, trigger }: Deployment,
  since: Date | undefined,
): Promise<void> {
  const now = clock.now();
  const [, before] = await uow.deployments.page(projectId, serviceId, environmentId, { limit: 2 });
  const isQuick = trigger === "push" && before?.trigger === "push";
  const sinceMs = isQuick ? Math.max(0, now.getTime() - before.createdAt.getTime()) : debounceMs;
  const readyAt = new Date(now.getTime() + Math.max(0, debounceMs - sinceMs));
  await uow.buildQueue.add({
    deploymentId: id,
    workspaceId,
    serviceId,
    environmentId,
    enqueuedAt: since ?? now,
    readyAt,
  });
  await callBuilder(uow, readyAt > now ? readyAt : undefined);
  await uow.changes.announce({ kind: "build_queue" });
}
