import { existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

/** Written into a build's folder when it is whole, and touched by each start that uses it. */
export const wholeMark = "starform-built";
/** Where it cannot be seen who serves a build, one that was used so lately is left alone. */
const lateMs = 7 * 24 * 3_600_000;

/**
 * Removes builds of the dashboard that are of no use any more, and answers their names. `current` stays, the one used
 * before it (for a step back in the sources), what a running platform serves, and whatever is not a whole build of ours.
 */
export function pruneBuilds(buildsDir: string, current: string, served = servedBuilds()): string[] {
  const usedAtMs = (name: string): number => statSync(join(buildsDir, name, wholeMark)).mtimeMs;
  const others = readdirSync(buildsDir)
    .filter((name) => /^[0-9a-f]{16}$/.test(name) && name !== current)
    .filter((name) => existsSync(join(buildsDir, name, wholeMark)))
    .toSorted((a, b) => usedAtMs(b) - usedAtMs(a));
  const useless = others
    .slice(1)
    .filter((name) => (served ? !served.has(name) : Date.now() - usedAtMs(name) > lateMs));
  for (const name of useless) rmSync(join(buildsDir, name), { recursive: true, force: true });
  return useless;
}

/** The builds that processes of this machine were told to serve; undefined where that cannot be seen. */
function servedBuilds(): Set<string> | undefined {
  if (process.platform !== "linux") return undefined;
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return new Set(
    pids.flatMap((pid) => /(?:^|\0)STARDECK_DIST_DIR=\.next\/([^\0]+)/.exec(environmentOf(pid))?.[1] ?? []),
  );
}

function environmentOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8");
  } catch {
    return "";
  }
}
