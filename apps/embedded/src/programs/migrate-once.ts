import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "@starform/std/fault";
import { spawnProgram } from "../supervisor/spawn-program.ts";
import { lastWords } from "../supervisor/supervisor.ts";

type Migration = {
  readonly root: string;
  readonly logDir: string;
  /** Notes what was done to the embedded database. */ readonly stampFile: string | undefined;
};

/**
 * Brings the database to this code's schema the first time it is called; later calls wait for that and do nothing.
 * With a stamp file, which must share the database's fate, nothing is run while the migrations are those of last time.
 * Rejects with the migration's own words, for example when a newer Starform has been at the database.
 */
export function migrateOnce({
  root,
  logDir,
  stampFile,
}: Migration): (env: Record<string, string>) => Promise<void> {
  const script = join(root, "apps/starbase/bin/migrate.ts");
  let migrated: Promise<void> | undefined;
  async function migrate(env: Record<string, string>): Promise<void> {
    if (!existsSync(script)) return;
    const digest = digestOf(join(root, "apps/starbase/db/migrations"));
    if (stampFile && existsSync(stampFile) && readFileSync(stampFile, "utf8") === digest) return;
    const command = { file: process.execPath, args: [script], env, cwd: root };
    const child = spawnProgram({ command, stopSignal: "SIGTERM" }, join(logDir, "migrate.log"));
    const [code] = (await once(child, "exit")) as [number | null];
    if (code !== 0)
      throw new Fault(
        "unavailable",
        `the database could not be brought to this version:\n${lastWords(logDir, "migrate")}`,
      );
    if (stampFile && digest) writeFileSync(stampFile, digest);
  }
  return (env) =>
    (migrated ??= migrate(env).catch((error) => {
      migrated = undefined;
      throw error;
    }));
}

function digestOf(dir: string): string {
  if (!existsSync(dir)) return "";
  const hash = createHash("sha256");
  for (const name of readdirSync(dir).toSorted())
    hash.update(`${name}\0`).update(readFileSync(join(dir, name)));
  return hash.digest("hex");
}
