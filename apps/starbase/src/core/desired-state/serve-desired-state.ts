import type { Clock } from "@starform/std/clock";
import type { SecretBox } from "../variables/ports.ts";
import type { Changes } from "../../ports/changes.ts";
import type { Transact } from "../stores.ts";
import type { DesiredStateStore } from "./ports.ts";
import { desiredDocument, etagOf } from "./build-document.ts";
import { credentialPeriod, type OwnRegistry } from "./image-credentials.ts";

export type ServedDocument = {
  readonly etag: string;
  readonly body: string;
  /** Of the body's exact text; undefined when this installation has no signing key. */
  readonly signature: string | undefined;
};
export type ServeDesiredState = (
  clusterId: string,
  seen: string | undefined,
  waitMs: number,
  signal: AbortSignal,
) => Promise<ServedDocument | "unchanged">;

/**
 * The desired state of a cluster, unless it is the one of ETag `seen`: then it waits up to `waitMs` for the next and
 * answers `unchanged` if none came. A document is made once per version and kept,
 * for at most a month.
 */
export function serveDesiredState(deps: {
  desired: DesiredStateStore;
  transact: Transact;
  changes: Changes;
  box: SecretBox;
  sign: ((text: string) => string) | undefined;
  registry: OwnRegistry | undefined;
  clock: Clock;
}): ServeDesiredState {
  type Made = ServedDocument & { readonly version: number; readonly period: number; tellsRemovals: boolean };
  const kept = new Map<string, Made>();

  const current = async (clusterId: string): Promise<Made> => {
    const version = await deps.desired.version(clusterId);
    const hit = kept.get(clusterId);
    const period = credentialPeriod(deps.clock.now());
    if (hit && hit.version === version && hit.period === period) return hit;
    // Version and rows of one moment: the version row is locked by whoever changes them.
    const read = await deps.transact(({ desired }) => desired.read(clusterId));
    const document = desiredDocument({
      clusterId,
      version: read?.version ?? 0,
      lbSizeUnits: read?.lbSizeUnits ?? 1,
      rows: read?.rows ?? [],
      removed: read?.removed ?? [],
      box: deps.box,
      registry: deps.registry,
      period,
    });
    const body = JSON.stringify(document);
    const made = {
      version: document.version,
      period,
      etag: etagOf(document),
      body,
      signature: deps.sign?.(body),
      tellsRemovals: (read?.removed.length ?? 0) > 0,
    };
    kept.set(clusterId, made);
    return made;
  };

  return async (clusterId, seen, waitMs, signal) => {
    let document = await current(clusterId);
    // A cluster asks by the ETag of what it has taken and kept.
    if (document.etag === seen && document.tellsRemovals) {
      await deps.desired.removalsSeen(clusterId, document.version);
      document.tellsRemovals = false;
    }
    const look = async () => {
      document = await current(clusterId);
      return document.etag !== seen;
    };
    if (waitMs > 0)
      await deps.changes.waitFor({ kind: "desired_state", clusterId }, { ms: waitMs, signal, look });
    return document.etag === seen ? "unchanged" : document;
  };
}
