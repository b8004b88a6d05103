import type { Cache, Layer, Step } from "./build-plan.ts";
import { fromSource, fromStep } from "./commands.ts";
import type { Decision, ToolVersion } from "./plan-info.ts";
import type { PlanVariables } from "./plan-variables.ts";
import type { RailpackFile } from "./railpack-file.ts";
import type { SourceTree } from "./source-tree.ts";

/** Where tools are installed: one step, whatever the language, as Railpack has it. */
export const toolsStep = "packages:mise";
/** The tools that the running app needs, where those it is built with are more. */
export const runtimeToolsStep = "packages:mise:runtime";

/** A plan in the making: providers write into it, `assemblePlan` turns it into the format. */
export interface PlanDraft {
  readonly tree: SourceTree;
  readonly variables: PlanVariables;
  /** Where the tree lies in the source: "." or "apps/web". */
  readonly rootDirectory: string;
  /** railpack.json, starform.json and the variables as one; already right for what comes from the file. */
  readonly config: RailpackFile;
  /** Where something in `config` comes from, in words: the last of its sources that has it. */
  readonly saidBy: (part: (file: RailpackFile) => unknown, variable: string) => string;
  readonly versions: Record<string, ToolVersion>;
  readonly decisions: Decision[];
  /** Tools that another program than mise installs (Corepack): shown, but not in mise's list. */
  readonly installedElsewhere: Set<string>;
  /** If not empty, `runtimeToolsStep` installs just these. */
  readonly runtimeTools: Set<string>;
  /** Variables of the tools' step beyond mise's own. */
  readonly toolVariables: Record<string, string>;
  readonly miseSettings: Record<string, string | boolean>;
  readonly buildAptPackages: Set<string>;
  readonly runtimeAptPackages: Set<string>;
  readonly steps: Step[];
  readonly caches: Record<string, Cache>;
  readonly exclude: string[];
  readonly deploy: {
    base: Layer;
    inputs: Layer[];
    startCommand: string | undefined;
    variables: Record<string, string>;
    paths: string[];
  };
}

export function newPlanDraft(
  given: Pick<PlanDraft, "tree" | "variables" | "rootDirectory" | "config" | "saidBy">,
): PlanDraft {
  return {
    ...given,
    versions: {},
    decisions: [],
    installedElsewhere: new Set(),
    runtimeTools: new Set(),
    toolVariables: {},
    miseSettings: {},
    buildAptPackages: new Set(),
    runtimeAptPackages: new Set(),
    steps: [],
    caches: {},
    exclude: [],
    deploy: { base: { image: runtimeImage }, inputs: [], startCommand: undefined, variables: {}, paths: [] },
  };
}

const release = "mise-2026.8.6";
/** The images Railpack's plans name; executors without them use a base of their own. */
export const builderImage = `ghcr.io/railwayapp/railpack-builder:${release}`;
export const runtimeImage = `ghcr.io/railwayapp/railpack-runtime:${release}`;

/** Tells why. What is decided on the same matter later takes the place of what was said before. */
export function decide(draft: PlanDraft, what: string, reason: string, about: string = what): void {
  forget(draft, about);
  draft.decisions.push({ about, what, reason });
}

export function forget({ decisions }: PlanDraft, about: string): void {
  const known = decisions.findIndex((one) => one.about === about);
  if (known !== -1) decisions.splice(known, 1);
}

/** What is told where no lock file holds the versions. */
export const versionsMayChange = "the installed versions may change from build to build";

/** Says how the app starts, in the place of what was said before. */
export function startWith(draft: PlanDraft, command: string, reason: string): void {
  draft.deploy.startCommand = command;
  decide(draft, `start with "${command}"`, reason, "start");
}

/** Debian packages for the build or for the running app; those that are asked for already keep their reason. */
export function needPackages(
  draft: PlanDraft,
  when: "build" | "run time",
  packages: readonly string[],
  reason: string,
): void {
  const known = when === "build" ? draft.buildAptPackages : draft.runtimeAptPackages;
  const missing = packages.filter((name) => !known.has(name));
  if (missing.length === 0) return;
  addAll(known, missing);
  const names = missing.join(", ");
  decide(
    draft,
    `install ${names} for the ${when === "build" ? "build" : "running app"}`,
    reason,
    `packages of ${when} ${names}`,
  );
}

/** Adds a step, that starts from another one, with why it is one. */
export function addStep(draft: PlanDraft, name: string, from: string, reason: string): Step {
  decide(draft, `step ${name}`, reason);
  const step: Step = {
    name,
    inputs: [fromStep(from)],
    commands: [],
    secrets: [],
    assets: {},
    variables: {},
    caches: [],
  };
  draft.steps.push(step);
  return step;
}

/** The build of a source that brings no packages to install; it begins with the install that the configuration adds. */
export function addPlainBuild(draft: PlanDraft, reason: string): Step {
  const isInstalled = draft.config.steps?.["install"] !== undefined;
  const add = (name: string, from: string, why: string): Step => {
    const step = addStep(draft, name, from, why);
    step.inputs.push(fromSource());
    step.secrets = ["*"];
    return step;
  };
  if (isInstalled) add("install", toolsStep, "because the configuration adds it");
  return add("build", isInstalled ? "install" : toolsStep, reason);
}

/** Declares a folder that lives between builds and gives it to the step. */
export function addCache(
  draft: PlanDraft,
  step: Step,
  name: string,
  directory: string,
  type: Cache["type"] = "shared",
): void {
  if (!draft.caches[name])
    decide(
      draft,
      `keep ${directory} from build to build`,
      `because the step ${step.name} fills it and finds it there the next time`,
      `cache ${name}`,
    );
  draft.caches[name] ??= { directory, type };
  if (!step.caches.includes(name)) step.caches.push(name);
}

export const addAll = <T>(set: Set<T>, values: Iterable<T>): void => {
  for (const value of values) set.add(value);
};
