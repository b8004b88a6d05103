import { send, toFault } from "@starform/client/client";
import { nodeRequest } from "@starform/client/node-request";
import type { DoctorDeps } from "@starform/cluster-parts/examination";
import { getDesiredState } from "@starform/contract/clusters";
import { Fault } from "@starform/std/fault";

/** Fetches a cluster's desired state as its Shuttle would, and keeps nothing of it but the version: it holds secrets. */
export const askStarbase: NonNullable<DoctorDeps["askStarbase"]> = async (
  { url, clusterId, token },
  signal,
) => {
  const answer = await send(
    { url, token: () => token, agent: "starform-cli", transport: nodeRequest },
    getDesiredState,
    { params: { id: clusterId }, query: { wait: 0 } },
    { timeoutMs: 15_000, ...(signal ? { signal } : {}) },
  );
  const text = await answer.text();
  if (answer.status >= 400) throw toFault(getDesiredState, answer.status, text);
  const version = versionIn(text);
  if (version === undefined) throw new Fault("malformed", `${url} is not the address of a Starbase`);
  const date = answer.headers.get("date");
  return { version, date: date ? new Date(date) : undefined };
};

function versionIn(text: string): number | undefined {
  try {
    const { version } = JSON.parse(text) as { version?: unknown };
    return typeof version === "number" ? version : undefined;
  } catch {
    return undefined;
  }
}
