import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "@starform/std/fault";
import { spawnProgram } from "../supervisor/spawn-program.ts";

type Migration = {
  readonly root: string;
  readonly logDir: string;
  /** Notes what was done to the embedded database. */ readonly stampFile: string | undefined;
};

/** What the migration exits with when somebody has to change something first. */
const cannotHeal = 1;

/**
 * Brings the database to this code's schema the first time it is called; later calls wait for that and do nothing.
 * With a stamp file, which must share the database's fate, nothing is run while the migrations and the encryption key
 * are those of last time.
 * Rejects with the migration's own words, for example when a newer Starform has been at the database: a Fault
 * `unavailable` if that may heal by itself, `conflict` if not.
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
    const digest = digestOf(join(root, "apps/starbase/db/migrations"), env["STARBASE_ENCRYPTION_KEY_FILE"]);
    if (stampFile && existsSync(stampFile) && readFileSync(stampFile, "utf8") === digest) return;
    const command = { file: process.execPath, args: [script], env, cwd: root };
    const log = join(logDir, "migrate.log");
    const saidBefore = sizeOf(log);
    const child = spawnProgram({ command, stopSignal: "SIGTERM" }, log);
    const [code] = (await once(child, "exit")) as [number | null];
    if (code !== 0)
      throw new Fault(
        code === cannotHeal ? "conflict" : "unavailable",
        readFileSync(log).subarray(saidBefore).toString().trim() ||
          `the migration of the database was ended; ${log} may say why`,
      );
    if (stampFile && digest) writeFileSync(stampFile, digest);
  }
  return (env) =>
    (migrated ??= migrate(env).catch((error) => {
      migrated = undefined;
      throw error;
    }));
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

function digestOf(dir: string, keyFile: string | undefined): string {
  if (!existsSync(dir)) return "";
  const hash = createHash("sha256");
  for (const name of readdirSync(dir).toSorted())
    hash.update(`${name}\0`).update(readFileSync(join(dir, name)));
  if (keyFile) hash.update(readFileSync(keyFile));
  return hash.digest("hex");
}
