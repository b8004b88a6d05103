import path from "node:path";
import type { Components } from "./components/read-components.ts";
import type { PlanOptions, PlanOutcome } from "./plan-source.ts";
import type { PlanningTask } from "./planning-thread.ts";
import { planningThreads, type ThreadEnd, type ThreadLimits } from "./planning-threads.ts";

/**
 * `planSource` for a source that nobody vouches for: apart from the caller, within limits. One that exceeds them is
 * refused like any other that cannot be planned. Rejects with the signal's reason when that fires.
 */
export type PlanApart = (dir: string, options?: PlanOptions, signal?: AbortSignal) => Promise<PlanOutcome>;
/** `readComponents` in the same way; what exceeds the limits is a note and no components. */
export type ComponentsApart = (dir: string, signal?: AbortSignal) => Promise<Components>;

/**
 * A plan takes milliseconds, and the worst of the known hostile sources half a second (test/hostile-limits.test.ts): three
 * seconds of processor time are for what nobody has thought of, and for an honest giant on a machine several times slower.
 * The clock is only for a thread that waits, and wide because a machine may be busy.
 */
export const planningLimits: ThreadLimits = { cpuMsMax: 3_000, wallMsMax: 20_000, heapMbMax: 256 };

/** The planner in threads of its own: one that is kept, more while several sources are planned at once. */
export function openPlannerApart(
  limits: ThreadLimits = planningLimits,
  entry: URL = threadFile(),
): {
  readonly plan: PlanApart;
  readonly components: ComponentsApart;
} {
  const run = planningThreads<PlanningTask>(entry, limits);
  return {
    async plan(dir, options = {}, signal) {
      const end = await run<PlanOutcome>({ kind: "plan", dir, options }, signal);
      return end.kind === "done" ? end.value : { ok: false, error: refusalOf(end, limits) };
    },
    async components(dir, signal) {
      const end = await run<Components>({ kind: "components", dir }, signal);
      return end.kind === "done"
        ? end.value
        : { components: [], files: [], notes: [refusalOf(end, limits).message] };
    },
  };
}

let shared: ReturnType<typeof openPlannerApart> | undefined;
const opened = () => (shared ??= openPlannerApart());

/** See `PlanApart`; all callers of a process share its threads. */
export const planApart: PlanApart = (...asked) => opened().plan(...asked);
/** See `ComponentsApart`. */
export const componentsApart: ComponentsApart = (...asked) => opened().components(...asked);

/** Beside this file, of the same kind: TypeScript in the repository, JavaScript in a bundle. */
const threadFile = (): URL => new URL(`planning-thread${path.extname(import.meta.url)}`, import.meta.url);

/** What a person is told of a source that was more than the limits allow. */
export function refusalOf({ limit, lastRead }: ThreadEnd<never> & { kind: "stopped" }, limits: ThreadLimits) {
  const most = limit === "time" ? seconds(limits.cpuMsMax) : `${limits.heapMbMax} MB of memory`;
  const last = lastRead === undefined ? "" : `; the last file read was ${lastRead}`;
  return {
    message: `reading this source took more than ${most}${last}`,
    lookedFor: [],
    hint: `Make ${lastRead ?? "the source"} smaller or simpler, or set the root directory to the app's own folder.`,
  };
}

const seconds = (ms: number): string => (ms === 1_000 ? "a second" : `${ms / 1_000} seconds`);
