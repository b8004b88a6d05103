import type { Command, Step } from "../../build-plan.ts";
import { addPath, copy, exec, fromSource, word } from "../../commands.ts";
import { table } from "../../loose-values.ts";
import { readLock } from "../../lock-files.ts";
import {
  addCache,
  addStep,
  decide,
  needPackages,
  type PlanDraft,
  toolsStep,
  versionsMayChange,
} from "../../plan-draft.ts";
import type { SourceTree } from "../../source-tree.ts";
import { chooseVersion } from "../../tool-version.ts";
import { chromium } from "../chromium.ts";

export const pythonEnvironment = {
  PIP_DEFAULT_TIMEOUT: "100",
  PIP_DISABLE_PIP_VERSION_CHECK: "1",
  PYTHONDONTWRITEBYTECODE: "1",
  PYTHONFAULTHANDLER: "1",
  PYTHONHASHSEED: "random",
  PYTHONUNBUFFERED: "1",
};

const venv = "/app/.venv";
const paths = [addPath("/root/.local/bin"), addPath(`${venv}/bin`)];

interface Manager {
  readonly name: string;
  readonly reason: string;
  /** The file that says which versions it installs. */
  readonly lock?: string;
  /** Why the versions it installs are others in another build, where they may be. */
  readonly unlocked?: string;
  readonly tools: readonly string[];
  readonly variables: Record<string, string>;
  readonly cache?: { name: string; directory: string };
  /** In the install step, before and after the manifests are there. */
  readonly before: Command[];
  readonly after: Command[];
  readonly buildCommands?: Command[];
  /** Adds a package that no manifest names, after all others; absent where the manager would take it away again. */
  readonly add?: { readonly command: (name: string) => Command; readonly in: "install" | "build" };
}

/**
 * The install step. `outputs` is what of it the image needs, nothing when there is nothing to install. `server` is what the
 * app is served by and no manifest names.
 */
export function installPython(
  draft: PlanDraft,
  server: string | undefined,
): { outputs: string[]; buildCommands: Command[] } {
  const step = addStep(
    draft,
    "install",
    toolsStep,
    "because dependencies are installed before the code is there, so that a change of code installs nothing again",
  );
  step.secrets = draft.variables.namesStartingWith(["PYTHON", "PIP", "PIPX", "UV", "PDM", "POETRY"]);
  Object.assign(step.variables, pythonEnvironment);
  const manager = managerOf(draft.tree);
  if (manager?.lock) readLock(draft.tree, manager.lock);
  if (!manager) {
    decide(draft, "install no dependencies", "because no manifest names any", "install");
    return { outputs: [], buildCommands: [] };
  }
  decide(draft, `install dependencies with ${manager.name}`, `because ${manager.reason}`, "install");
  if (manager.unlocked) decide(draft, versionsMayChange, `because ${manager.unlocked}`);
  for (const tool of manager.tools) {
    chooseVersion(draft, {
      tool,
      label: tool,
      fallback: { version: "latest", reason: `${manager.name} needs it` },
    });
  }
  if (manager.tools.includes("pipx")) draft.miseSettings["pipx.uvx"] = true;
  Object.assign(step.variables, manager.variables);
  if (manager.cache) addCache(draft, step, manager.cache.name, manager.cache.directory);
  step.commands.push(...manager.before);
  copyManifests(draft.tree, step);
  step.commands.push(...manager.after);
  const buildCommands = [...(manager.buildCommands ?? [])];
  if (server) {
    const isAdded = manager.add !== undefined;
    if (manager.add)
      (manager.add.in === "install" ? step.commands : buildCommands).push(manager.add.command(server));
    decide(
      draft,
      isAdded ? `install ${server}` : `start with ${server}, which is not installed`,
      `because the app is served by it, and it is not among its dependencies${isAdded ? "" : `: add it with ${manager.name}`}`,
      "server",
    );
  }
  const outputs = [venv];
  if (draft.variables.isOn("PYTHON_PLAYWRIGHT_INSTALL")) outputs.push(installPlaywright(draft, step));
  return { outputs, buildCommands };
}

/** Answers the folder that holds the browser. */
function installPlaywright(draft: PlanDraft, step: Step): string {
  const asked = "because RAILPACK_PYTHON_PLAYWRIGHT_INSTALL is set";
  step.commands.push(exec("playwright install --only-shell"));
  decide(draft, "install Playwright's browser", asked);
  needPackages(draft, "run time", chromium, `${asked} and Chromium needs them`);
  return "/root/.cache/ms-playwright";
}

function managerOf(tree: SourceTree): Manager | undefined {
  if (tree.hasFile("requirements.txt")) {
    const unlocked = unpinned(tree);
    return {
      ...pip("requirements.txt", "pip install -r requirements.txt"),
      ...(unlocked ? { unlocked } : {}),
    };
  }
  if (tree.hasFile("pyproject.toml")) {
    if (tree.hasFile("uv.lock")) return uv;
    if (tree.hasFile("poetry.lock")) return poetry;
    if (tree.hasFile("pdm.lock")) return pdm;
    if (dependsByPoetry(tree)) return unlockedPoetry;
  }
  if (tree.hasFile("Pipfile")) return pipenv(tree.hasFile("Pipfile.lock"));
  const listed = listedDependencies(tree);
  if (listed.length === 0) return undefined;
  const found = "pyproject.toml that lists dependencies, and no lock file";
  return { ...pip(found, `pip install ${listed.map(word).join(" ")}`), unlocked: noLock };
}

const noLock = "there is no lock file; commit one";

/** A line that names a distribution and no exact version of it: nothing follows, a marker, or another comparison. */
const isUnpinned = (line: string): boolean =>
  /^\s*[A-Za-z0-9][\w.-]*\s*(?:\[[^\]]*\]\s*)?(?:$|[#;<>~!])/.test(line);

function unpinned(tree: SourceTree): string | undefined {
  const names = (tree.readLines("requirements.txt") ?? []).filter(isUnpinned);
  if (names.length === 0) return undefined;
  const first = /[\w.-]+/.exec(names[0]!)![0].slice(0, 80);
  const others = names.length === 1 ? "" : ` and ${names.length - 1} more`;
  return `requirements.txt names no exact version of ${first}${others}; pin them with ==`;
}

/** What an unlocked pyproject.toml depends on. The project itself is not installed: an app need not be a package. */
function listedDependencies(tree: SourceTree): string[] {
  const file = tree.readToml("pyproject.toml") as { project?: { dependencies?: unknown } } | undefined;
  const listed = file?.project?.dependencies;
  return Array.isArray(listed) ? listed.filter((one) => typeof one === "string" && !one.startsWith("-")) : [];
}

const pip = (found: string, command: string): Manager => ({
  name: "pip",
  reason: `there is a ${found}`,
  tools: [],
  variables: { PIP_CACHE_DIR: "/opt/pip-cache", VIRTUAL_ENV: venv },
  cache: { name: "pip", directory: "/opt/pip-cache" },
  before: [exec("python3 -m venv .venv"), addPath(`${venv}/bin`)],
  after: [exec(command)],
  add: { command: (name) => exec(`pip install ${name}`), in: "install" },
});

const uv: Manager = {
  name: "uv",
  reason: "there is a uv.lock",
  lock: "uv.lock",
  tools: ["uv"],
  variables: {
    UV_CACHE_DIR: "/opt/uv-cache",
    UV_COMPILE_BYTECODE: "1",
    UV_LINK_MODE: "copy",
    UV_PYTHON_DOWNLOADS: "never",
    VIRTUAL_ENV: venv,
  },
  cache: { name: "uv", directory: "/opt/uv-cache" },
  before: [],
  after: [...paths, exec("uv sync --locked --no-dev --no-install-project")],
  buildCommands: [exec("uv sync --locked --no-dev --no-editable")],
  add: { command: (name) => exec(`uv pip install ${name}`), in: "build" },
};

const byPoetry: Omit<Manager, "reason" | "lock"> = {
  name: "poetry",
  tools: ["poetry"],
  variables: { VIRTUAL_ENV: venv, POETRY_VIRTUALENVS_PATH: venv, POETRY_VIRTUALENVS_IN_PROJECT: "true" },
  before: [],
  after: [...paths, exec("poetry install --no-interaction --no-ansi --only main --no-root")],
};

const poetry: Manager = { ...byPoetry, reason: "there is a poetry.lock", lock: "poetry.lock" };

const unlockedPoetry: Manager = {
  ...byPoetry,
  unlocked: noLock,
  reason: "pyproject.toml lists dependencies for Poetry, and there is no lock file",
};

/** Whether Poetry's own table names dependencies beyond Python itself, and the project's table none. */
function dependsByPoetry(tree: SourceTree): boolean {
  const file = tree.readToml("pyproject.toml");
  const listed = Object.keys(table(table(table(file?.["tool"])["poetry"])["dependencies"]));
  return listedDependencies(tree).length === 0 && listed.some((name) => name !== "python");
}

const pdm: Manager = {
  name: "pdm",
  reason: "there is a pdm.lock",
  lock: "pdm.lock",
  tools: ["pipx", "uv", "pipx:pdm"],
  variables: { PDM_CHECK_UPDATE: "false" },
  before: [],
  after: [...paths, exec("pdm install --check --prod --no-editable")],
};

const pipenv = (isLocked: boolean): Manager => ({
  name: "pipenv",
  reason: `there is a Pipfile${isLocked ? ".lock" : ""}`,
  ...(isLocked ? { lock: "Pipfile.lock" } : { unlocked: noLock }),
  tools: ["pipx", "uv", "pipx:pipenv"],
  variables: { PIPENV_CHECK_UPDATE: "false", PIPENV_VENV_IN_PROJECT: "1", PIPENV_IGNORE_VIRTUALENVS: "1" },
  before: [],
  after: [
    ...paths,
    exec(isLocked ? "pipenv install --deploy --ignore-pipfile" : "pipenv install --skip-lock"),
  ],
});

const manifests = [
  "requirements.txt",
  "pyproject.toml",
  "Pipfile",
  "Pipfile.lock",
  "poetry.lock",
  "uv.lock",
  "pdm.lock",
];

/** Only the manifests, so that a change of code installs nothing again; the whole source where a manifest points into it. */
function copyManifests(tree: SourceTree, step: Step): void {
  if (needsSource(tree)) step.inputs.push(fromSource());
  else step.commands.push(...manifests.filter(tree.hasFile).map((file) => copy(file)));
}

function needsSource(tree: SourceTree): boolean {
  const requirements = tree.read("requirements.txt");
  if (requirements !== undefined)
    return /file:\/\/|^[ \t]*(?:-e|-r|-c|--editable|--requirement|--constraint|\.{1,2}\/|\.[ \t\r]*$)/m.test(
      requirements,
    );
  const text = tree.read("pyproject.toml") ?? "";
  if (/file:\/\/|\bpath\s*=/.test(text)) return true;
  const file = tree.readToml("pyproject.toml") as { tool?: { uv?: { workspace?: unknown } } } | undefined;
  return file?.tool?.uv?.workspace !== undefined;
}
