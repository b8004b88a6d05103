import { randomUUID } from "node:crypto";
import type { StoredImages } from "./stored-images.ts";

const steps = [
  "requested",
  "waiting for write JWTs to expire",
  "scanning manifests",
  "deleting unreferenced blobs",
  "succeeded",
] as const;
type Run = { uuid: string; step: number; created: Date; updated: Date; blobs: number; bytes: number };

/** Garbage collections of a registry, one active at most; each look at it takes the active one a step further. */
export function garbageCollections(images: StoredImages, registryName: string, now: () => Date) {
  const runs: Run[] = [];
  let writesGoOn = false;
  const active = () => runs.find(({ step }) => steps[step] !== "succeeded");
  const shown = ({ uuid, step, created, updated, blobs, bytes }: Run) => ({
    uuid,
    registry_name: registryName,
    status: steps[step],
    created_at: created.toISOString(),
    updated_at: updated.toISOString(),
    blobs_deleted: blobs,
    freed_bytes: bytes,
  });
  const advance = (run: Run): void => {
    if (steps[run.step] === "waiting for write JWTs to expire" && writesGoOn) return;
    run.step += 1;
    run.updated = now();
    if (steps[run.step] !== "succeeded") return;
    const swept = images.sweep();
    Object.assign(run, { blobs: swept.blobs, bytes: swept.bytes });
  };
  return {
    isActive: () => active() !== undefined,
    /** Undefined while one is active. */
    start() {
      if (active()) return undefined;
      const run = { uuid: randomUUID(), step: 0, created: now(), updated: now(), blobs: 0, bytes: 0 };
      runs.unshift(run);
      return shown(run);
    },
    active() {
      const run = active();
      if (run) advance(run);
      return run && steps[run.step] !== "succeeded" ? shown(run) : undefined;
    },
    past: () => runs.map(shown),
    noteWrite: () => void (writesGoOn = true),
    endWrites: () => void (writesGoOn = false),
  };
}
