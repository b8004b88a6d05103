import type { Step } from "../../build-plan.ts";
import { addPath, copy, exec, shell } from "../../commands.ts";
import { addCache, addStep, decide, type PlanDraft, toolsStep, versionsMayChange } from "../../plan-draft.ts";
import { readLock } from "../../lock-files.ts";
import type { SourceTree } from "../../source-tree.ts";
import type { NodeApp } from "./node-app.ts";
import { copyManifests } from "./node-manifests.ts";
import { isLockInSync } from "./npm-lock.ts";
import type { PackageManager } from "./package-manager.ts";

const pnpmHome = "/opt/pnpm";
export const corepackHome = "/opt/corepack";

/** Variables of the install and of the running app. */
export const nodeEnvironment = (draft: PlanDraft, app: NodeApp): Record<string, string> => ({
  CI: "true",
  NODE_ENV: "production",
  NPM_CONFIG_FETCH_RETRIES: "5",
  NPM_CONFIG_FUND: "false",
  ...withDevelopment(draft, app),
  NPM_CONFIG_UPDATE_NOTIFIER: "false",
});

/**
 * Development packages are installed although NODE_ENV is production. Railpack says so by `production=false`, of which
 * npm warns in every command since version 9; `include=dev` is its word for the same since 7, which Node 16 brings.
 * pnpm knows the old one only.
 */
const withDevelopment = (draft: PlanDraft, app: NodeApp): Record<string, string> =>
  knowsInclude(draft, app) ? { NPM_CONFIG_INCLUDE: "dev" } : { NPM_CONFIG_PRODUCTION: "false" };

/** The opposite, in a step after it; npm takes a variable without a value for none. */
export const withoutDevelopment = (draft: PlanDraft, app: NodeApp): Record<string, string> =>
  knowsInclude(draft, app) ? { NPM_CONFIG_INCLUDE: "" } : { NPM_CONFIG_PRODUCTION: "true" };

function knowsInclude({ versions }: PlanDraft, { manager }: NodeApp): boolean {
  const major = Number.parseInt(versions["node"]?.version ?? "", 10);
  return manager.name !== "pnpm" && !(major < 16);
}

/** The step that installs the packages; `install:node` where Node stands beside another language. */
export function installNode(draft: PlanDraft, app: NodeApp, name = "install"): Step {
  const { manager } = app;
  const step = addStep(
    draft,
    name,
    toolsStep,
    "because dependencies are installed before the code is there, so that a change of code installs nothing again",
  );
  Object.assign(
    step.variables,
    nodeEnvironment(draft, app),
    manager.name === "yarn1" ? { YARN_PRODUCTION: "false" } : {},
  );
  step.secrets = draft.variables.namesStartingWith(["NODE", "NPM", "BUN", "PNPM", "YARN", "CI"]);
  step.commands.push(addPath("/app/node_modules/.bin"));
  if (manager.isCorepack) corepack(draft, app, step);
  copyManifests(draft, app, step);
  if (manager.name === "yarnberry") step.variables["YARN_ENABLE_GLOBAL_CACHE"] = String(!usesPnp(draft.tree));
  addInstallCache(draft, step, manager);
  install(draft, app, step);
  return step;
}

function corepack(draft: PlanDraft, { manifestFile, manager }: NodeApp, step: Step): void {
  decide(draft, `install ${manager.program} with Corepack`, `because ${manager.reason}`);
  step.variables["COREPACK_HOME"] = corepackHome;
  step.commands.push(
    copy(manifestFile),
    shell(
      "npm i -g corepack@latest && corepack enable && corepack prepare --activate",
      `install ${manager.program} ${manager.version} with Corepack`,
    ),
  );
}

const caches: Record<PackageManager["name"], [name: string, directory: string, type: "shared" | "locked"]> = {
  npm: ["npm-install", "/root/.npm", "shared"],
  pnpm: ["pnpm-install", `${pnpmHome}/store`, "shared"],
  bun: ["bun-install", "/root/.bun/install/cache", "shared"],
  yarn1: ["yarn-install", "/usr/local/share/.cache/yarn", "locked"],
  yarnberry: ["yarn-install", "/root/.yarn/berry/cache", "shared"],
};

export function addInstallCache(draft: PlanDraft, step: Step, { name }: PackageManager): void {
  // With Plug'n'Play the cache is what the app runs from, so it belongs into the image.
  if (name !== "yarnberry" || !usesPnp(draft.tree)) addCache(draft, step, ...caches[name]);
}

/** Whether a yarn of version 2 or later links packages by its own loader and not by node_modules. */
export function usesPnp(tree: SourceTree): boolean {
  const settings = tree.readYaml(".yarnrc.yml") as { nodeLinker?: unknown } | null | undefined;
  return settings?.nodeLinker !== "node-modules" && settings?.nodeLinker !== "pnpm";
}

function install(draft: PlanDraft, app: NodeApp, step: Step): void {
  const { manager } = app;
  const { variables } = draft;
  const custom = manager.name === "npm" ? variables.get("NODE_NPM_INSTALL") : undefined;
  if (custom) {
    decide(draft, `install with ${custom}`, "because RAILPACK_NODE_NPM_INSTALL says so", "install");
    return void step.commands.push(exec(custom));
  }
  if (manager.name === "pnpm") {
    Object.assign(step.variables, { PNPM_HOME: pnpmHome, PNPM_STORE_DIR: `${pnpmHome}/store` });
    // pnpm by itself brings no node-gyp, which packages with native code build with.
    if (!manager.isCorepack)
      step.commands.push(addPath(pnpmHome), addPath(`${pnpmHome}/bin`), exec("pnpm add -g node-gyp"));
  }
  const lock = lockOf(draft, app);
  const command = installCommand(manager, lock === "in sync");
  step.commands.push(exec(command));
  decide(
    draft,
    `install with ${command}`,
    `because ${manager.reason}${lock === "out of sync" ? ", and it does not match package.json" : ""}`,
    "install",
  );
  if (lock === "in sync") return;
  const why =
    lock === "out of sync"
      ? "the lock file does not match package.json; run npm install and commit it"
      : "there is no lock file; commit one";
  decide(draft, versionsMayChange, `because ${why}`);
}

const lockFiles = ["pnpm-lock.yaml", "yarn.lock", "bun.lock", "bun.lockb"];
/** Bun's binary one is left to Bun. */
const readableLocks: Partial<Record<PackageManager["program"], string>> = {
  pnpm: "pnpm-lock.yaml",
  yarn: "yarn.lock",
  bun: "bun.lock",
};

/** Only npm refuses a lock that lags behind package.json without offering a way on, so only its lock is compared. */
function lockOf({ tree }: PlanDraft, { manager, manifest }: NodeApp): "in sync" | "out of sync" | "absent" {
  const readable = readableLocks[manager.program];
  if (readable) readLock(tree, readable);
  if (manager.name !== "npm") return tree.firstFile(...lockFiles) === undefined ? "absent" : "in sync";
  const isInSync = isLockInSync(tree, manifest);
  return isInSync === undefined ? "absent" : isInSync ? "in sync" : "out of sync";
}

function installCommand({ name }: PackageManager, isLocked: boolean): string {
  const commands: Record<PackageManager["name"], [locked: string, free: string]> = {
    npm: ["npm ci", "npm install"],
    pnpm: ["pnpm install --frozen-lockfile --prefer-offline", "pnpm install"],
    bun: ["bun install --frozen-lockfile", "bun install"],
    yarn1: ["yarn install --frozen-lockfile", "yarn install"],
    yarnberry: ["yarn install --immutable --check-cache", "yarn install --check-cache"],
  };
  return commands[name][isLocked ? 0 : 1];
}
