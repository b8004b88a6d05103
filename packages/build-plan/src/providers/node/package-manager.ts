import type { SourceTree } from "../../source-tree.ts";
import type { PackageJson } from "./package-json.ts";

export type ManagerName = "npm" | "pnpm" | "bun" | "yarn1" | "yarnberry";

export interface PackageManager {
  readonly name: ManagerName;
  /** The program: both yarns are `yarn`. */
  readonly program: "npm" | "pnpm" | "bun" | "yarn";
  readonly version: string | undefined;
  /** Why this one. */
  readonly reason: string;
  /** Why this version, if one is known. */
  readonly versionReason: string;
  /** Corepack brings the exact version that package.json's `packageManager` names. */
  readonly isCorepack: boolean;
}

/** Which package manager a source uses: package.json says so, else its lock file shows it, else its engines, else npm. */
export function packageManagerOf(tree: SourceTree, manifest: PackageJson): PackageManager {
  const named = manifest.packageManager;
  const known = named && managerNamed(named.name, named.version);
  if (named && known) {
    const reason = `package.json packageManager says ${named.name}${named.version ? `@${named.version}` : ""}`;
    return {
      ...programOf(known),
      version: named.version,
      reason,
      versionReason: reason,
      isCorepack: known !== "bun" && named.version !== undefined,
    };
  }
  const { name, reason } = byDevEngines(manifest) ??
    byLockFile(tree) ??
    byEngines(manifest) ?? { name: "npm" as const, reason: "nothing names another package manager" };
  const version = versionFor(name, tree, manifest);
  return {
    ...programOf(name),
    reason,
    version: version?.version,
    versionReason: version?.reason ?? reason,
    isCorepack: false,
  };
}

const programOf = (name: ManagerName): Pick<PackageManager, "name" | "program"> => ({
  name,
  program: name === "yarn1" || name === "yarnberry" ? "yarn" : name,
});

function managerNamed(name: string, version: string | undefined): ManagerName | undefined {
  if (name === "yarn") return version === undefined || /^v?1(\.|$)/.test(version) ? "yarn1" : "yarnberry";
  return name === "npm" || name === "pnpm" || name === "bun" ? name : undefined;
}

type Guess = { name: ManagerName; reason: string } | undefined;

function byLockFile(tree: SourceTree): Guess {
  const of = (name: ManagerName, ...files: string[]): Guess => {
    const file = tree.firstFile(...files);
    return file === undefined ? undefined : { name, reason: `there is a ${file}` };
  };
  const yarnLock = tree.hasFile("yarn.lock") ? (tree.readStart("yarn.lock", 512) ?? "") : "";
  return (
    of("pnpm", "pnpm-lock.yaml") ??
    of("bun", "bun.lockb", "bun.lock") ??
    of("yarnberry", ".yarnrc.yml", ".yarnrc.yaml") ??
    (yarnLock.includes("__metadata:")
      ? { name: "yarnberry", reason: "yarn.lock is of yarn 2 or later" }
      : of("yarn1", "yarn.lock")) ??
    of("npm", "package-lock.json", "npm-shrinkwrap.json")
  );
}

/** npm stops where package.json's devEngines ask for another manager, so they go before lock files. */
function byDevEngines({ devEngines }: PackageJson): Guess {
  for (const [name, version] of Object.entries(devEngines.packageManager)) {
    const known = managerNamed(name, /\d[\d.]*/.exec(version)?.[0]);
    if (known) return { name: known, reason: `package.json devEngines names ${name}` };
  }
  return undefined;
}

function byEngines({ engines }: PackageJson): Guess {
  const name = ["pnpm", "bun", "yarn"].find((one) => engines[one]);
  const known = name && managerNamed(name, engines[name]!.replace(/^[^\d]*/, ""));
  return known ? { name: known, reason: `package.json engines names ${name}` } : undefined;
}

function versionFor(
  name: ManagerName,
  tree: SourceTree,
  { engines, devEngines }: PackageJson,
): { version: string; reason: string } | undefined {
  const { program } = programOf(name);
  const engine = program === "npm" ? undefined : engines[program];
  if (engine) return { version: engine, reason: `package.json engines says ${engine}` };
  const dev = program === "npm" ? undefined : devEngines.packageManager[program];
  if (dev && dev !== "*") return { version: dev, reason: `package.json devEngines says ${dev}` };
  if (name === "pnpm") return pnpmOfLock(tree);
  if (name === "bun") return { version: "latest", reason: "nothing in the source names a version" };
  if (name === "yarn1") return { version: "1", reason: "yarn.lock is of yarn 1" };
  return name === "yarnberry" ? yarnOfLock(tree) : undefined;
}

/** Which yarn wrote a lock file of that version: a newer one would rewrite it, which a frozen install refuses. */
const yarnLocks: Record<string, string> = { "4": "2", "5": "3", "6": "3", "7": "4", "8": "4", "9": "4" };

function yarnOfLock(tree: SourceTree): { version: string; reason: string } {
  const lock = /^__metadata:\s+version:\s*(\d+)/m.exec(tree.readStart("yarn.lock", 1024) ?? "")?.[1];
  const version = lock && yarnLocks[lock];
  return version
    ? { version, reason: `yarn.lock is of version ${lock}` }
    : { version: "4", reason: "nothing in the source names a version" };
}

/** Which pnpm wrote a lock file of that version; 9, 10 and 11 write the same. */
const pnpmLocks: Record<string, string> = { "5.3": "6", "5.4": "7", "6.0": "8", "6.1": "8", "9.0": "9" };

function pnpmOfLock(tree: SourceTree): { version: string; reason: string } {
  const lock = /^lockfileVersion:\s*'?(\d+\.\d+)/m.exec(tree.readStart("pnpm-lock.yaml", 512) ?? "")?.[1];
  const version = lock && pnpmLocks[lock];
  return version
    ? { version, reason: `pnpm-lock.yaml is of version ${lock}` }
    : { version: "9", reason: "nothing in the source names a version" };
}

/** Lines of releases in order of preference for a range: first the one that wrote the lock file, which others may refuse. */
export function managerLines({ name }: PackageManager, tree: SourceTree): readonly string[] {
  if (name === "pnpm") return [pnpmOfLock(tree).version, "9", "10", "11", "8", "7", "6"];
  if (name === "yarnberry") return [yarnOfLock(tree).version, "4", "3", "2"];
  return ["1"];
}

/** Runs a script of package.json, in a member of the workspace if one is named. */
export function runScript(
  { program }: PackageManager,
  script: string,
  member?: { folder: string; name: string | undefined },
): string {
  if (!member || member.folder === "") return `${program} run ${script}`;
  if (program === "npm") return `npm run ${script} --workspace=${member.folder}`;
  if (program === "pnpm") return `pnpm --filter ./${member.folder} run ${script}`;
  if (program === "bun") return `bun run --cwd ${member.folder} ${script}`;
  return member.name
    ? `yarn workspace ${member.name} run ${script}`
    : `cd ${member.folder} && yarn run ${script}`;
}

/** Runs a program that a dependency brings. */
export function runProgram({ program }: PackageManager, command: string): string {
  return {
    npm: `npx ${command}`,
    pnpm: `pnpm exec ${command}`,
    bun: `bunx ${command}`,
    yarn: `yarn run ${command}`,
  }[program];
}

export const runFile = ({ program }: PackageManager, file: string): string =>
  `${program === "bun" ? "bun" : "node"} ${file}`;
