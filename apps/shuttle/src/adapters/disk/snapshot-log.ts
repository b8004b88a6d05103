import { existsSync, mkdirSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { Snapshot } from "@starform/contract/clusters";
import { z } from "zod";
import type { SnapshotLog } from "../../core/ports.ts";
import { readJson, removeFile, writeJson } from "./json-file.ts";

/** Two weeks of minutes; what is older than that is let go, and said. */
const filesMax = 20_160;
/** Which tick was the last that was written down: the batches themselves go as Starbase takes them. */
const Through = z.object({ through: z.iso.datetime() });

/** Snapshots in files of one tick each; a file goes when Starbase has taken it. */
export function fileSnapshotLog(dir: string, warn: (sentence: string) => void): SnapshotLog {
  const [refusedDir, throughFile] = [join(dir, "refused"), join(dir, "through.json")];
  mkdirSync(refusedDir, { recursive: true, mode: 0o700 });
  const isBatch = (name: string) => /^\d{15}(-\d+)?\.json$/.test(name);
  const names = new Set(readdirSync(dir).filter(isBatch).sort());
  const told = Through.safeParse(readJson(throughFile));
  let through = told.success ? new Date(told.data.through) : undefined;
  const setAside = (name: string): void => {
    renameSync(join(dir, name), join(refusedDir, name));
    names.delete(name);
  };
  /** A batch that is being sent is never added to: what comes later of its tick is a batch of its own. */
  const freeName = (at: Date): string => {
    const tick = String(at.getTime()).padStart(15, "0");
    for (let more = 0; ; more++) {
      const name = more === 0 ? `${tick}.json` : `${tick}-${more}.json`;
      if (!names.has(name) && !existsSync(join(refusedDir, name))) return name;
    }
  };
  return {
    outlivesProcess: true,
    writtenThrough: () => through,
    append(snapshots, at) {
      const name = freeName(at);
      writeJson(join(dir, name), snapshots);
      names.add(name);
      if (!through || at > through) {
        writeJson(throughFile, { through: at.toISOString() });
        through = at;
      }
      if (names.size <= filesMax) return;
      const oldest = [...names].sort()[0]!;
      warn(
        `usage of ${new Date(Number.parseInt(oldest, 10)).toISOString()} was never taken by Starbase and is given up after two weeks`,
      );
      removeFile(join(dir, oldest));
      names.delete(oldest);
    },
    oldest() {
      for (const name of [...names].sort()) {
        const parsed = z.array(Snapshot).safeParse(readJson(join(dir, name)));
        if (parsed.success) return { name, snapshots: parsed.data };
        warn(`the stored snapshots ${name} cannot be read and are put aside`);
        setAside(name);
      }
      return undefined;
    },
    taken(name) {
      removeFile(join(dir, name));
      names.delete(name);
    },
    refused: setAside,
  };
}
