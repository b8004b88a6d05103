import type { BuildEstimate, InLine } from "@starform/contract/builds";
import { buildAllowances } from "@starform/contract/plans";
import type { Clock } from "@starform/std/clock";
import type { SeenDeployment } from "../deployments/ports.ts";
import type { Stores } from "../stores.ts";
import type { BuildOwner, LastTook } from "./build-store.ts";
import { lineOf } from "./fair-order.ts";
import { forecast, foreseenMax, median } from "./forecast.ts";

/** What is shown of a deployment that is not built yet. */
export type Outlook = { readonly inLine: InLine | null; readonly estimate: BuildEstimate | null };
export type Outlooks = (deployments: readonly SeenDeployment[]) => Promise<(id: string) => Outlook>;

/** As many as say what is usual and not what was long ago. */
const lastMax = 9;

/**
 * Where deployments stand in line, when their turn comes, and what their builds usually take; nothing for those that are
 * past it. Of other tenants' builds that are before them only the time is told that they make one wait.
 */
export const outlooks =
  ({ stores, clock }: { stores: Pick<Stores, "buildQueue" | "builds">; clock: Clock }): Outlooks =>
  async (deployments) => {
    const early = deployments.filter(
      ({ status, source, buildId }) => (status === "pending" || status === "building") && source && buildId,
    );
    const queue = early.some(({ status }) => status === "pending") ? await stores.buildQueue.all() : [];
    const now = clock.now();
    const line = lineOf(queue, now);
    const foreseen = [
      ...queue.filter(({ ticket }) => ticket !== null),
      ...line.slice(0, foreseenMax).map(({ build }) => build),
    ];
    const took = await lastTook(stores, [...early, ...foreseen]);
    const begins = forecast(foreseen, new Map([...took].map(([id, { tookMs }]) => [id, tookMs])), now);
    const places = new Map(
      line.map(({ build, waitsFor, place }): [string, InLine] => {
        const beginsAt = begins.get(build.deploymentId);
        return [
          build.deploymentId,
          {
            position: place,
            of: line.length,
            waitsFor,
            atOnceMax: buildAllowances[build.plan].atOnceMax,
            beginsInMs: beginsAt ? beginsAt.getTime() - now.getTime() : null,
          },
        ];
      }),
    );
    const known = new Map(early.map((one) => [one.id, one]));
    return (id) => {
      const one = known.get(id);
      return {
        inLine: places.get(id) ?? null,
        estimate: one ? estimateOf(took.get(one.serviceId)) : null,
      };
    };
  };

async function lastTook(
  { builds }: Pick<Stores, "builds">,
  owners: readonly BuildOwner[],
): Promise<Map<string, LastTook>> {
  const once = new Map(
    owners.map(({ workspaceId, serviceId }) => [serviceId, { workspaceId, serviceId }] as const),
  );
  return once.size === 0 ? new Map() : builds.lastTook([...once.values()], lastMax);
}

const estimateOf = (last: LastTook | undefined): BuildEstimate | null =>
  last ? { basis: last.basis, builds: last.tookMs.length, durationMs: median(last.tookMs) } : null;
