import { buildAllowances } from "@starform/contract/plans";
import type { QueuedBuild } from "./build-queue.ts";

/** Why a build that waits has not begun. */
export type WaitsFor =
  /** For a builder: it begins as soon as one is free and those before it have. */
  | "turn"
  /** The workspace builds as many at once as its plan allows. */
  | "workspace"
  /** An earlier build of the same service and environment runs. */
  | "service"
  /** A further push may yet replace it. */
  | "quiet";

/** `place` of 1 is next. */
export type InLine = { readonly build: QueuedBuild; readonly waitsFor: WaitsFor; readonly place: number };

const minuteMs = 60_000;
/** What the clocks of two machines may differ by: a job that came when it should must find its build ready. */
const skewMs = 1_000;
/** How long a build of each class waits at most behind those of a better one: then it is of the best. */
export const patienceMs = { protected: 0, lasting: 2 * minuteMs, preview: 10 * minuteMs };

/**
 * Those that wait, in the order in which they would begin if nothing else came:
 *
 * 1. protected environments before other lasting ones before previews; who has waited out a class's patience is of the best;
 * 2. within a class the workspace that uses the least of what its plan allows, each that is before in line counting;
 * 3. then who has waited longest past their patience.
 *
 * So whatever keeps coming, a build waits at most for its patience, for what its own workspace has running, and for
 * those that got in line before its patience was over: nobody starves.
 */
export function lineOf(queue: readonly QueuedBuild[], now: Date): InLine[] {
  const running = queue.filter(({ ticket }) => ticket !== null);
  const busyPlaces = new Set(running.map(placeOf));
  const counts = new Map<string, number>();
  for (const { workspaceId } of running) counts.set(workspaceId, (counts.get(workspaceId) ?? 0) + 1);

  const waiting = queue
    .filter(({ ticket }) => ticket === null)
    .map((build) => ({
      build,
      waitsFor: reasonOf(build, busyPlaces, counts, now),
      ...urgencyOf(build, now),
    }));
  // The second that a workspace has in line comes when its first has begun, and so counts with it.
  const ahead = new Map(counts);
  const withShares = waiting.toSorted(byUrgency).map((one) => {
    const { workspaceId, plan } = one.build;
    const before = ahead.get(workspaceId) ?? 0;
    ahead.set(workspaceId, before + 1);
    return { ...one, share: before / buildAllowances[plan].atOnceMax };
  });
  return withShares
    .toSorted(
      (a, b) => isHeldBack(a) - isHeldBack(b) || a.rank - b.rank || a.share - b.share || byUrgency(a, b),
    )
    .map(({ build, waitsFor }, at) => ({ build, waitsFor, place: at + 1 }));
}

/** The one to begin now; undefined when nobody may. */
export const nextBuild = (queue: readonly QueuedBuild[], now: Date): QueuedBuild | undefined =>
  lineOf(queue, now).find(({ waitsFor }) => waitsFor === "turn")?.build;

type Urgency = { readonly rank: number; readonly dueMs: number };

function urgencyOf(build: QueuedBuild, now: Date): Urgency {
  const kind = build.isEphemeral ? "preview" : build.isProtected ? "protected" : "lasting";
  const dueMs = build.enqueuedAt.getTime() + patienceMs[kind];
  const rank = { protected: 0, lasting: 1, preview: 2 }[kind];
  return { rank: dueMs <= now.getTime() ? 0 : rank, dueMs };
}

type Waiting = Urgency & { readonly build: QueuedBuild; readonly waitsFor: WaitsFor };

const isHeldBack = ({ waitsFor }: Waiting): number =>
  waitsFor === "service" || waitsFor === "quiet" ? 1 : 0;

const byUrgency = (a: Waiting, b: Waiting): number =>
  isHeldBack(a) - isHeldBack(b) ||
  a.rank - b.rank ||
  a.dueMs - b.dueMs ||
  (a.build.deploymentId < b.build.deploymentId ? -1 : 1);

const placeOf = ({ serviceId, environmentId }: QueuedBuild): string => `${serviceId}:${environmentId}`;

function reasonOf(
  build: QueuedBuild,
  busyPlaces: ReadonlySet<string>,
  counts: ReadonlyMap<string, number>,
  now: Date,
): WaitsFor {
  if (build.readyAt.getTime() > now.getTime() + skewMs) return "quiet";
  if (busyPlaces.has(placeOf(build))) return "service";
  const { atOnceMax } = buildAllowances[build.plan];
  return (counts.get(build.workspaceId) ?? 0) < atOnceMax ? "turn" : "workspace";
}
