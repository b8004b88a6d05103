import { mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DesiredState } from "@starform/contract/clusters";
import { z } from "zod";
import type { DesiredStore } from "../../core/ports.ts";
import { readJson, writeJson } from "./json-file.ts";

const Kept = z.object({ etag: z.string().optional(), state: DesiredState });
const previousMax = 10;

/** Desired state in files: `current.json`, and `previous/<number>.json` of which the highest is the latest. */
export function fileDesiredStore(dir: string): DesiredStore {
  const current = join(dir, "current.json");
  const previousDir = join(dir, "previous");
  mkdirSync(previousDir, { recursive: true, mode: 0o700 });
  const numbers = () =>
    readdirSync(previousDir)
      .flatMap((name) => (/^\d+\.json$/.test(name) ? [Number.parseInt(name, 10)] : []))
      .sort((a, b) => a - b);
  const read = (path: string) => {
    const kept = Kept.safeParse(readJson(path));
    return kept.success ? { state: kept.data.state, etag: kept.data.etag } : undefined;
  };
  return {
    load() {
      // A current file that cannot be read is no reason to stop: the one before it was good as well.
      return (
        read(current) ??
        numbers()
          .toReversed()
          .map((number) => read(join(previousDir, `${number}.json`)))
          .find((kept) => kept !== undefined)
      );
    },
    save(state, etag) {
      const known = numbers();
      if (read(current)) renameSync(current, join(previousDir, `${(known.at(-1) ?? 0) + 1}.json`));
      writeJson(current, { ...(etag === undefined ? {} : { etag }), state });
      for (const number of numbers().slice(0, -previousMax))
        rmSync(join(previousDir, `${number}.json`), { force: true });
    },
  };
}
