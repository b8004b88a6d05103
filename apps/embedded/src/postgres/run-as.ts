import { spawnSync } from "node:child_process";
import { chownSync, cpSync, existsSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "@starform/std/fault";
import type { NativePostgres } from "./native.ts";

/** PostgreSQL refuses to run as root; this is how it is started instead. */
export type RunAs = {
  readonly kind: "self" | "namespace" | "nobody";
  /** Where the binaries are for that identity. */
  readonly bin: string;
  /** Words before the program. */
  readonly prefix: readonly string[];
  readonly uid?: number;
  readonly gid?: number;
  /** Makes a file or folder belong to that identity. */
  own(path: string): void;
};

const nobody = 65_534;
const namespace = ["unshare", "--user", `--map-user=${nobody}`, `--map-group=${nobody}`, "--"];

/**
 * Not root: as we are. Root: in a user namespace that shows us as `nobody` (files stay ours), and where the machine
 * forbids that, really as `nobody`, with a copy of the binaries in a place that user can enter.
 */
export function chooseRunAs(native: NativePostgres, dataDir: string): RunAs {
  const bin = join(native.dir, "bin");
  const nothing = () => undefined;
  if (process.getuid?.() !== 0) return { kind: "self", bin, prefix: [], own: nothing };
  if (runs(namespace)) return { kind: "namespace", bin, prefix: namespace, own: nothing };
  const copy = join(dataDir, `postgres-${native.version}`);
  copyOnce(native.dir, copy);
  const check = spawnSync(join(copy, "bin/postgres"), ["--version"], {
    uid: nobody,
    gid: nobody,
    stdio: "ignore",
  });
  if (check.status !== 0)
    throw new Fault(
      "unavailable",
      `PostgreSQL must not run as root, and the user it would run as cannot enter ${dataDir}: start as another user, or choose a folder everybody may enter, for example --data-dir /var/lib/starform`,
    );
  return {
    kind: "nobody",
    bin: join(copy, "bin"),
    prefix: [],
    uid: nobody,
    gid: nobody,
    own: (path) => chownSync(path, nobody, nobody),
  };
}

const runs = ([file, ...args]: string[]): boolean =>
  process.platform === "linux" &&
  spawnSync(file ?? "", [...args, "true"], { stdio: "ignore", timeout: 5_000 }).status === 0;

function copyOnce(from: string, to: string): void {
  if (existsSync(to)) return;
  const draft = `${to}.${process.pid}`;
  cpSync(from, draft, { recursive: true, verbatimSymlinks: true });
  try {
    renameSync(draft, to);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(to)) throw error;
  }
}
