import { createHash } from "node:crypto";

/**
 * Where in the interval a cluster has its turn with Starbase, in ms: from its id, so the same for ever, and of many
 * clusters evenly spread. Two kinds of call have two phases.
 */
export function ownPhaseMs(clusterId: string, call: string, everyMs: number): number {
  const hash = createHash("sha256").update(`${clusterId}/${call}`).digest();
  return (hash.readUInt32BE(0) / 2 ** 32) * everyMs;
}
