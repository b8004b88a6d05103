import { spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants, existsSync } from "node:fs";
import { join } from "node:path";
import { sayDuration } from "@starform/std/duration";

export type DebianPackage = {
  readonly name: string;
  /** A program it brings: if that is found, the package is not needed. */
  readonly program: string;
  readonly why: string;
};

/** Where a program is, if it can be run; the folders of administrators are looked at too. */
export function findProgram(name: string, path = process.env["PATH"] ?? ""): string | undefined {
  const dirs = [
    ...path.split(":"),
    "/usr/local/sbin",
    "/usr/sbin",
    "/sbin",
    "/usr/local/bin",
    "/usr/bin",
    "/bin",
  ];
  return dirs
    .filter(Boolean)
    .map((dir) => join(dir, name))
    .find(isExecutable);
}

/**
 * Installs what is missing, telling first; a machine that is not Debian, or a person who is not root, gets one
 * sentence instead. Never fails: who needs a program looks for it again. Answers the packages still missing.
 */
export async function installDebianPackages(
  wanted: readonly DebianPackage[],
  options: { purpose: string; isForbidden?: boolean; say(line: string): void },
): Promise<string[]> {
  const { purpose, say } = options;
  const missing = () => wanted.filter(({ program }) => !findProgram(program));
  const lacking = missing();
  if (lacking.length === 0) return [];
  const list = lacking.map(({ name, why }) => `${name} (${why})`).join(", ");
  const canInstall = existsSync("/etc/debian_version") && process.getuid?.() === 0 && findProgram("apt-get");
  if (options.isForbidden || !canInstall) {
    const why = options.isForbidden
      ? "--no-system-packages forbids installing them"
      : "they are only installed on Debian as root";
    say(`- Without ${list}: ${why}`);
    return lacking.map(({ name }) => name);
  }
  const startedAt = performance.now();
  say(`… Installing Debian packages for ${purpose}: ${list}`);
  const names = lacking.map(({ name }) => name);
  if (!(await install(names)) && (await apt("update")) && !(await install(names)))
    for (const name of names) await install([name]);
  const left = missing().map(({ name }) => name);
  const took = sayDuration(performance.now() - startedAt);
  say(
    left.length === 0
      ? `✓ Debian packages installed  ${took}`
      : `✗ Could not install ${left.join(", ")}: apt-get refused  ${took}`,
  );
  return left;
}

const install = (names: string[]) => apt("install", "-y", "--no-install-recommends", ...names);

/** Waits for another apt-get to end rather than failing; asks nothing. */
async function apt(...args: string[]): Promise<boolean> {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", APT_LISTCHANGES_FRONTEND: "none" };
  const child = spawn(
    "apt-get",
    ["-qq", "-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3", ...args],
    { stdio: "ignore", env },
  );
  const [code] = (await once(child, "exit")) as [number | null];
  return code === 0;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
