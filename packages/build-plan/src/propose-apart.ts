import path from "node:path";
import { planningLimits, refusalOf } from "./plan-apart.ts";
import type { ServiceProposal } from "./plan-info.ts";
import { planningThreads, type RunTask } from "./planning-threads.ts";
import type { Proposals } from "./propose-services.ts";

/**
 * `proposeServices` for a source that nobody vouches for: apart from the caller, within the limits of a plan. One that
 * exceeds them has an error and no services. Rejects with the signal's reason when that fires.
 */
export type ProposeApart = (dir: string, signal?: AbortSignal) => Promise<Proposals>;

let run: RunTask<string> | undefined;

/** See `ProposeApart`; all callers of a process share its thread. */
export const proposeApart: ProposeApart = async (dir, signal) => {
  // Beside this file, of the same kind: TypeScript in the repository, JavaScript in a bundle.
  const entry = new URL(`proposing-thread${path.extname(import.meta.url)}`, import.meta.url);
  run ??= planningThreads<string>(entry, planningLimits);
  const end = await run<Proposals>(dir, signal);
  return end.kind === "done" ? end.value : { services: [], notes: [], error: refusalOf(end, planningLimits) };
};

/** What a proposal says in the words of a service's settings; what is left out is as for any new service. */
export function proposedSettings(proposal: ServiceProposal): {
  rootDirectory?: string;
  watchPaths?: string[];
  buildCommand?: string;
  startCommand?: string;
  schedule?: string;
} {
  const { rootDirectory, watchPaths, buildCommand, startCommand, cron } = proposal;
  return {
    ...(rootDirectory === "." ? {} : { rootDirectory }),
    // A folder's name may hold what a pattern may not; a part of the list would keep pushes from deploying.
    ...(watchPaths.length > 0 && watchPaths.length <= 200 && watchPaths.every(isPattern)
      ? { watchPaths }
      : {}),
    ...(buildCommand === undefined ? {} : { buildCommand }),
    ...(startCommand === undefined ? {} : { startCommand }),
    ...(cron === undefined ? {} : { schedule: cron }),
  };
}

const isPattern = (text: string): boolean => text.length <= 500 && !/[{}\n]/.test(text);
