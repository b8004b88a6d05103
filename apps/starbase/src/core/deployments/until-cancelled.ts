import { isFinal } from "@starform/contract/states";
import type { Changes } from "../../ports/changes.ts";
import type { Stores } from "../stores.ts";

/** A notice that came while the database was away is lost, so it is looked at now and then as well. */
const everyMs = 10_000;

/** Runs `work` with a signal that fires when the caller's does or when the deployment ends by another hand. */
export async function untilCancelled<T>(
  {
    stores,
    changes,
    lookEveryMs = everyMs,
  }: { stores: Pick<Stores, "deployments">; changes: Pick<Changes, "on">; lookEveryMs?: number },
  deploymentId: string,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const cancelled = new AbortController();
  const look = async () => {
    const seen = await stores.deployments.seenById(deploymentId);
    if (!seen || isFinal(seen.status)) cancelled.abort();
  };
  // The table decides; a look that fails is made up for by the next.
  const lookQuietly = () => void look().catch(() => undefined);
  const stop = changes.on("deployment", (change) => {
    if (change.kind === "deployment" && change.deploymentId === deploymentId) lookQuietly();
  });
  const looking = setInterval(lookQuietly, lookEveryMs);
  try {
    return await work(AbortSignal.any([signal, cancelled.signal]));
  } finally {
    clearInterval(looking);
    stop();
  }
}
