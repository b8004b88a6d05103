import type { Drift, StatusReport } from "@starform/contract/clusters";
import type { ServiceHealth } from "@starform/contract/services";
import { canonicalJson } from "@starform/std/canonical-json";
import type { Clock } from "@starform/std/clock";
import { record } from "../audit/record.ts";
import type { PlacedService } from "../services/ports.ts";
import type { UnitOfWork } from "../stores.ts";

/** Keeps what a cluster saw of a service, and tells the project when it is otherwise than before. */
export async function takeHealth(
  uow: UnitOfWork,
  clock: Clock,
  projectId: string,
  place: PlacedService,
  report: StatusReport,
): Promise<void> {
  const health: ServiceHealth = {
    phase: report.phase === "failed" ? (report.ready_replicas > 0 ? "running" : "crashed") : report.phase,
    readyReplicas: report.ready_replicas,
    desiredReplicas: report.desired_replicas,
    restarts: report.restarts,
    reason: report.reason,
    ...(report.last_lines ? { lastLines: report.last_lines } : {}),
    observedAt: null,
    ...holdOf(place, report),
    putBack: putBackOf(report),
  };
  // The database keeps the members of an object in an order of its own.
  const isNew = canonicalJson(health) !== canonicalJson(place.health);
  await uow.services.setHealth(place.id, place.environmentId, health, clock.now());
  if (isNew) await uow.projects.touch(projectId);
}

/**
 * Once for each time that a service is held back or let go: the cluster acted on its own, and it must be known, also when
 * both happened while nobody could be told.
 */
export async function recordDivergence(
  uow: UnitOfWork,
  clock: Clock,
  projectId: string,
  place: PlacedService,
  report: StatusReport,
): Promise<void> {
  if (report.is_hold_unreadable) return;
  const note = (
    event: "service.held_back" | "service.let_go",
    actor: string,
    detail: ServiceHealth["heldBack"],
  ) =>
    record(uow.audit, clock, {
      workspaceId: place.workspaceId,
      projectId,
      event,
      actor,
      subject: place.name,
      detail: { ...detail, environment: place.environment },
    });
  const [before, now] = [place.health.heldBack ?? null, heldBackOf(report)];
  const over = [...(report.let_go_earlier ?? []), ...(report.let_go ? [report.let_go] : [])];
  const news = over.slice(over.findLastIndex((one) => one.at === place.health.letGo?.heldAt) + 1);
  // What took its place may be over as well: who ended this one is not known then.
  if (before && ![now, ...news].some((one) => one?.at === before.at))
    await note("service.let_go", before.by, before);
  for (const letGo of news) {
    const ended = heldBackOf({ divergence: letGo });
    if (before?.at !== letGo.at) await note("service.held_back", letGo.by, ended);
    await note("service.let_go", letGo.let_go_by, ended);
  }
  if (now && now.at !== before?.at) await note("service.held_back", now.by, now);
}

/** Once for each thing that was changed by hand on the cluster and put back: somebody has to hear of it, and who it was. */
export async function recordDrift(
  uow: UnitOfWork,
  clock: Clock,
  projectId: string,
  place: PlacedService,
  report: StatusReport,
): Promise<void> {
  const known = new Set(place.health.putBack?.map(canonicalJson));
  for (const drift of putBackOf(report).filter((one) => !known.has(canonicalJson(one))))
    await record(uow.audit, clock, {
      workspaceId: place.workspaceId,
      projectId,
      event: "service.put_back",
      actor: drift.by ?? "unknown",
      subject: place.name,
      detail: { ...drift, environment: place.environment },
    });
}

/** The cluster tells it for as long as its Shuttle lives. */
const putBackOf = ({ drift = [] }: StatusReport): Drift[] =>
  drift.toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));

/** Of a hold that the cluster cannot read stays what was known, and of one that is over for ever: it may be told again. */
const holdOf = (
  { health }: PlacedService,
  report: StatusReport,
): Pick<ServiceHealth, "heldBack" | "letGo"> => {
  const { let_go, is_hold_unreadable } = report;
  const letGo = let_go ? { by: let_go.let_go_by, at: let_go.let_go_at, heldAt: let_go.at } : health.letGo;
  return {
    heldBack: is_hold_unreadable ? (health.heldBack ?? null) : heldBackOf(report),
    ...(letGo ? { letGo } : {}),
  };
};

const heldBackOf = ({ divergence }: Pick<StatusReport, "divergence">): ServiceHealth["heldBack"] =>
  divergence
    ? {
        fromVersion: divergence.from_version,
        insteadOf: divergence.instead_of,
        by: divergence.by,
        at: divergence.at,
      }
    : null;
