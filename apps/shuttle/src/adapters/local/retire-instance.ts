import { pause } from "@starform/std/retry";
import { reasonOfKill } from "../../core/reasons.ts";
import type { GatewayAdmin } from "../gateway/gateway-admin.ts";
import type { RoutePublisher } from "../gateway/route-publisher.ts";
import { letGo, type InstanceDeps, type LiveInstance } from "./live-instance.ts";

export type RetireDeps = InstanceDeps & { readonly gateway: GatewayAdmin; readonly routes: RoutePublisher };

/**
 * Ends an instance without losing a request: it is out of the table already when this is called; once the gateway has
 * that table and its last request is answered (or the drain time is over), the app is asked to end.
 */
export async function retireInstance(
  deps: RetireDeps,
  live: LiveInstance,
  drainMs: number,
  signal: AbortSignal,
): Promise<void> {
  if (live.isServing && live.instance.address) {
    await untilOutOfTable(deps, signal);
    await untilIdle(deps, live.id, drainMs, signal);
  }
  if (signal.aborted) return;
  live.isServing = false;
  await stopAndTell(deps, live, drainMs);
  await letGo(deps, live);
}

/** Asks the app to end and ends it after the drain time; whoever wrote the app is told if it did not hear. */
export async function stopAndTell(
  { engine }: InstanceDeps,
  { id, pump }: LiveInstance,
  drainMs: number,
): Promise<void> {
  const result = await engine.stop(id, drainMs);
  if (result === "killed" && drainMs > 0) pump.note(reasonOfKill(drainMs));
}

/** As long as the gateway may still send requests, nothing is ended; a gateway that is away sends none. */
async function untilOutOfTable({ routes }: RetireDeps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted)
    if (
      await routes.live(5_000).then(
        () => true,
        () => false,
      )
    )
      return;
}

async function untilIdle(
  { gateway, timings }: RetireDeps,
  id: string,
  drainMs: number,
  signal: AbortSignal,
): Promise<void> {
  const deadline = performance.now() + drainMs;
  while (performance.now() < deadline && !signal.aborted) {
    const inflight = await gateway.inflight(id, signal).catch(() => 1);
    if (inflight === 0) return;
    await pause(timings.drainEveryMs, signal);
  }
}
