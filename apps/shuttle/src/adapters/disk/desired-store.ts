import { mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { DesiredStore, SentDocument } from "../../core/ports.ts";
import { readJson, writeJson } from "./json-file.ts";

const Kept = z.object({ etag: z.string().optional(), signature: z.string().optional(), text: z.string() });
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
  const read = (path: string): SentDocument | undefined => {
    const kept = Kept.safeParse(readJson(path));
    return kept.success
      ? { text: kept.data.text, signature: kept.data.signature, etag: kept.data.etag }
      : undefined;
  };
  return {
    async load() {
      const previous = numbers().toReversed();
      // A current file that cannot be read is no reason to stop: the one before it was good as well.
      return [current, ...previous.map((number) => join(previousDir, `${number}.json`))].flatMap(
        (path) => read(path) ?? [],
      );
    },
    async save({ text, signature, etag }) {
      const known = numbers();
      const last = read(current);
      if (last && last.text !== text)
        renameSync(current, join(previousDir, `${(known.at(-1) ?? 0) + 1}.json`));
      writeJson(current, { etag, signature, text });
    },
    async prune() {
      for (const number of numbers().slice(0, -previousMax))
        rmSync(join(previousDir, `${number}.json`), { force: true });
    },
  };
}
