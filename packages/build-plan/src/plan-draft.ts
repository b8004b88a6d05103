import type { Cache, Layer, Step } from "./build-plan.ts";
import { fromStep } from "./commands.ts";
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
  /** railpack.json, starform.json and the variables as one; already right for what comes from the file. */
  readonly config: RailpackFile;
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

export function newPlanDraft(tree: SourceTree, variables: PlanVariables, config: RailpackFile): PlanDraft {
  return {
    tree,
    variables,
    config,
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

export const decide = (draft: PlanDraft, what: string, reason: string): void =>
  void draft.decisions.push({ what, reason });

/** Adds a step that starts from another one, the installed tools if nothing is said. */
export function addStep(draft: PlanDraft, name: string, from: string = toolsStep): Step {
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

/** Declares a folder that lives between builds and gives it to the step. */
export function addCache(
  draft: PlanDraft,
  step: Step,
  name: string,
  directory: string,
  type: Cache["type"] = "shared",
): void {
  draft.caches[name] ??= { directory, type };
  if (!step.caches.includes(name)) step.caches.push(name);
}

export const addAll = <T>(set: Set<T>, values: Iterable<T>): void => {
  for (const value of values) set.add(value);
};
