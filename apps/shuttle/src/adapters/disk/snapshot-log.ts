import { mkdirSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { Snapshot } from "@starform/contract/clusters";
import { z } from "zod";
import type { SnapshotLog } from "../../core/ports.ts";
import { readJson, removeFile, writeJson } from "./json-file.ts";

/** Two weeks of minutes; what is older than that is let go, and said. */
const filesMax = 20_160;

/** Snapshots in one file per tick; a file goes when Starbase has taken it. */
export function fileSnapshotLog(dir: string, warn: (sentence: string) => void): SnapshotLog {
  const refusedDir = join(dir, "refused");
  mkdirSync(refusedDir, { recursive: true, mode: 0o700 });
  const isBatch = (name: string) => /^\d{15}\.json$/.test(name);
  const names = new Set(readdirSync(dir).filter(isBatch).sort());
  const setAside = (name: string): void => {
    renameSync(join(dir, name), join(refusedDir, name));
    names.delete(name);
  };
  return {
    append(snapshots, at) {
      const name = `${String(at.getTime()).padStart(15, "0")}.json`;
      writeJson(join(dir, name), snapshots);
      names.add(name);
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
