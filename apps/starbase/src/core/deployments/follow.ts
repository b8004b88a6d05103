import { isFinal } from "@starform/contract/states";
import { pause } from "@starform/std/retry";
import type { Changes } from "../../ports/changes.ts";
import type { LogStore } from "../../ports/log-store.ts";
import type { FollowEnd } from "../builds/git-remote.ts";
import type { Stores } from "../stores.ts";
import type { SeenDeployment } from "./ports.ts";

/** Lines of the build that are still on their way when it has ended come within this; rarely longer than the app's start. */
const restMs = 400;

export type Follow = (
  deploymentId: string,
  onLine: (text: string) => void,
  signal: AbortSignal,
) => Promise<FollowEnd>;

/** Tells the lines of a deployment's build as they come, until it ends. The log is best effort, the end is not. */
export const followDeployment =
  ({
    stores,
    changes,
    logs,
    publicUrl,
  }: {
    stores: Stores;
    changes: Changes;
    logs: LogStore;
    publicUrl: (hostname: string) => string;
  }): Follow =>
  async (deploymentId, onLine, signal) => {
    let seen = await stores.deployments.seenById(deploymentId);
    if (!seen) return gone;
    const rest = new AbortController();
    const telling =
      seen.buildId && seen.stages.some((stage) => stage.name === "build" && stage.outcome !== "skipped")
        ? tellBuild(logs, seen, onLine, AbortSignal.any([signal, rest.signal]))
        : undefined;
    // oxlint-disable-next-line no-unmodified-loop-condition -- `look` reads it anew
    while (seen && !isFinal(seen.status) && !signal.aborted) {
      const { revision }: SeenDeployment = seen;
      await changes.waitFor(
        { kind: "deployment", deploymentId },
        {
          ms: 30_000,
          signal,
          look: async () => (seen = await stores.deployments.seenById(deploymentId))?.revision !== revision,
        },
      );
    }
    if (telling) await Promise.race([telling, pause(restOf(seen, Date.now()))]);
    rest.abort();
    await telling;
    return seen
      ? { status: seen.status, reason: seen.reason, url: seen.hostname ? publicUrl(seen.hostname) : null }
      : gone;
  };

/** How long lines may still be on their way. */
function restOf(seen: SeenDeployment | undefined, nowMs: number): number {
  const ofBuild = seen?.stages.filter(({ name }) => name === "build" || name === "push") ?? [];
  const endedMs = Math.max(...ofBuild.map(({ endedAt }) => (endedAt ? Date.parse(endedAt) : nowMs)), 0);
  return Math.min(restMs, Math.max(0, endedMs + restMs - nowMs));
}

const gone: FollowEnd = { status: "cancelled", url: null, reason: "the service was deleted" };

async function tellBuild(
  logs: LogStore,
  { workspaceId, projectId, environment, serviceId, id, createdAt }: SeenDeployment,
  onLine: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const scope = { workspaceId, projectId, environment, serviceIds: [serviceId], keptSince: createdAt };
  try {
    for await (const entries of logs.tail(
      scope,
      { streams: ["build"], deploymentId: id, since: createdAt, backlog: 1_000 },
      signal,
    ))
      for (const entry of entries) onLine(entry.message);
  } catch {
    if (!signal.aborted) onLine("(the build log cannot be read at the moment; the deployment goes on)");
  }
}
