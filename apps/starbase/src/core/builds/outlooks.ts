import type { BuildEstimate, InLine } from "@starform/contract/builds";
import { buildAllowances } from "@starform/contract/plans";
import type { Clock } from "@starform/std/clock";
import type { SeenDeployment } from "../deployments/ports.ts";
import type { Stores } from "../stores.ts";
import type { BuildOwner } from "./build-store.ts";
import { lineOf } from "./fair-order.ts";

/** What is shown of a deployment that is not built yet. */
export type Outlook = { readonly inLine: InLine | null; readonly estimate: BuildEstimate | null };
export type Outlooks = (deployments: readonly SeenDeployment[]) => Promise<(id: string) => Outlook>;

/** As many as say what is usual and not what was long ago. */
const lastMax = 9;

/** Where deployments stand in line, and what their builds usually take; nothing for those that are past it. */
export const outlooks =
  ({ stores, clock }: { stores: Pick<Stores, "buildQueue" | "builds">; clock: Clock }): Outlooks =>
  async (deployments) => {
    const early = deployments.filter(
      ({ status, source, buildId }) => (status === "pending" || status === "building") && source && buildId,
    );
    const queue = early.some(({ status }) => status === "pending") ? await stores.buildQueue.all() : [];
    const line = lineOf(queue, clock.now());
    const places = new Map(
      line.map(({ build, waitsFor, place }): [string, InLine] => [
        build.deploymentId,
        { position: place, of: line.length, waitsFor, atOnceMax: buildAllowances[build.plan].atOnceMax },
      ]),
    );
    const estimates = new Map<string, BuildEstimate | null>();
    for (const one of early)
      if (!estimates.has(one.serviceId)) estimates.set(one.serviceId, await estimateFor(stores, one));
    const known = new Map(early.map((one) => [one.id, one]));
    return (id) => {
      const one = known.get(id);
      return {
        inLine: places.get(id) ?? null,
        estimate: (one && estimates.get(one.serviceId)) ?? null,
      };
    };
  };

async function estimateFor(
  { builds }: Pick<Stores, "builds">,
  owner: BuildOwner,
): Promise<BuildEstimate | null> {
  const { service, workspace } = await builds.lastTook(owner, lastMax);
  const [basis, took] =
    service.length > 0 ? (["service", service] as const) : (["workspace", workspace] as const);
  return took.length === 0 ? null : { basis, builds: took.length, durationMs: median(took) };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : Math.round((sorted[middle - 1]! + sorted[middle]!) / 2);
}
