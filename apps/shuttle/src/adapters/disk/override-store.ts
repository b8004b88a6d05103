import { mkdirSync, readdirSync, watch } from "node:fs";
import { join } from "node:path";
import { Override, overrideName } from "../../core/overrides.ts";
import type { OverrideStore } from "../../core/ports.ts";
import { readJson, removeFile, writeJson } from "./json-file.ts";

/** Overrides in files, one a service; another process on the machine may write them. */
export function fileOverrideStore(dir: string): OverrideStore {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const fileOf = (key: string) => join(dir, `${overrideName(key)}.json`);
  const read = (path: string): Override | undefined => {
    const parsed = Override.safeParse(readJson(path));
    return parsed.success ? parsed.data : undefined;
  };
  return {
    async list() {
      const names = readdirSync(dir).flatMap((name) => /^(.*)\.json$/.exec(name)?.[1] ?? []);
      const kept = names.map((name) => ({ name, override: read(join(dir, `${name}.json`)) }));
      return {
        overrides: kept.flatMap(({ override }) => override ?? []),
        spoiled: kept.flatMap(({ name, override }) => (override ? [] : [name])),
      };
    },
    put: async (override) => writeJson(fileOf(override.key), override),
    async remove({ key, at }) {
      if (!at || read(fileOf(key))?.at === at) removeFile(fileOf(key));
    },
    onChange(changed) {
      const watcher = watch(dir, { persistent: false }, changed);
      watcher.on("error", changed);
      changed();
      return { [Symbol.asyncDispose]: async () => watcher.close() };
    },
  };
}
