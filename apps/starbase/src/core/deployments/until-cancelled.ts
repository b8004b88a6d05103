import { isFinal } from "@starform/contract/states";
import type { Changes } from "../../ports/changes.ts";
import type { Stores } from "../stores.ts";

/** Runs `work` with a signal that fires when the caller's does or when the deployment ends by another hand. */
export async function untilCancelled<T>(
  { stores, changes }: { stores: Pick<Stores, "deployments">; changes: Changes },
  deploymentId: string,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const cancelled = new AbortController();
  const look = async () => {
    const seen = await stores.deployments.seenById(deploymentId);
    if (!seen || isFinal(seen.status)) cancelled.abort();
  };
  const stop = changes.on("deployment", (change) => {
    // The table decides; a look that fails is made up for by the next notice.
    if (change.kind === "deployment" && change.deploymentId === deploymentId) look().catch(() => undefined);
  });
  try {
    return await work(AbortSignal.any([signal, cancelled.signal]));
  } finally {
    stop();
  }
}
