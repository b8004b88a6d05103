import type { BuildPlan, Command, Layer, Step } from "./build-plan.ts";
import { fromStep } from "./commands.ts";
import {
  addStep,
  decide,
  forget,
  needPackages,
  type PlanDraft,
  runtimeImage,
  startWith,
  toolsStep,
  versionsMayChange,
} from "./plan-draft.ts";
import { type RailpackFile, type RailpackStep, spreadCommand } from "./railpack-file.ts";
import { PlanRefusal } from "./plan-refusal.ts";
import { aptStep, toolsSteps } from "./tools-step.ts";

/** Applies the configuration to what the provider drafted and puts the plan together. */
export function assemblePlan(draft: PlanDraft): BuildPlan {
  applyConfiguration(draft);
  const steps = [...toolsSteps(draft), ...draft.steps];
  const runtimeApt = [...draft.runtimeAptPackages].toSorted();
  const needsApt = runtimeApt.length > 0 && "image" in draft.deploy.base;
  if (needsApt && "image" in draft.deploy.base) {
    steps.push(
      aptStep(draft, "packages:apt:runtime", {
        image: draft.deploy.base.image ?? runtimeImage,
        packages: runtimeApt,
        reason: "because the running app needs packages of the system",
      }),
    );
  }
  const { inputs, startCommand, variables, paths } = draft.deploy;
  const plan: BuildPlan = {
    steps,
    caches: draft.caches,
    secrets: [
      ...new Set([...draft.variables.names, ...(draft.config.secrets ?? []).filter((name) => !isDots(name))]),
    ],
    deploy: {
      base: needsApt ? fromStep("packages:apt:runtime") : draft.deploy.base,
      inputs,
      ...(startCommand === undefined ? {} : { startCommand }),
      variables,
      paths,
    },
    exclude: [...new Set([...dockerIgnored(draft), ...draft.exclude, ...(draft.config.exclude ?? [])])],
  };
  const made = withoutUnused(withoutCaches(plan, draft.variables.list("DISABLE_CACHES")));
  tellExcluded(draft);
  forgetUnused(draft, made);
  return made;
}

function tellExcluded(draft: PlanDraft): void {
  const { config, tree, variables } = draft;
  if (config.exclude?.length)
    decide(draft, `leave out ${config.exclude.join(", ")}`, "because railpack.json says so");
  if (tree.hasFile(".dockerignore"))
    decide(draft, "leave out what .dockerignore names", "because there is a .dockerignore");
  const caches = variables.get("DISABLE_CACHES");
  if (caches) decide(draft, `keep no cache of ${caches}`, "because RAILPACK_DISABLE_CACHES says so");
}

/** Of what the plan does not hold after all nothing is told. */
function forgetUnused(draft: PlanDraft, plan: BuildPlan): void {
  const steps = new Set(plan.steps.map(({ name }) => name));
  const used = new Set(plan.steps.flatMap(({ caches }) => caches));
  for (const about of draft.decisions.map((one) => one.about)) {
    const [, kind, name = ""] = /^(step|cache) (.*)$/s.exec(about) ?? [];
    if (kind === "step" && !steps.has(name)) forget(draft, about);
    if (kind === "cache" && !used.has(name)) forget(draft, about);
  }
}

const dockerIgnored = ({ tree }: PlanDraft): string[] =>
  (tree.readLines(".dockerignore") ?? [])
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));

function applyConfiguration(draft: PlanDraft): void {
  const { config, deploy } = draft;
  for (const [tool, version] of Object.entries(config.packages ?? {})) {
    if (draft.versions[tool]) continue;
    const reason = `${draft.saidBy((file) => file.packages?.[tool], "RAILPACK_PACKAGES")} asks for it`;
    draft.versions[tool] = { version, reason };
    decide(draft, `${tool} ${version}`, `because ${reason}`, `tool ${tool}`);
  }
  applyAptPackages(draft);
  for (const [name, cache] of Object.entries(config.caches ?? {})) {
    draft.caches[name] = cache;
    decide(
      draft,
      `keep ${cache.directory} from build to build`,
      "because railpack.json says so",
      `cache ${name}`,
    );
  }
  deploy.inputs = spread(config.deploy?.inputs, deploy.inputs, (layer) => "spread" in layer);
  const spreadsDeploy =
    config.deploy?.inputs === undefined || config.deploy.inputs.some((layer) => "spread" in layer);
  for (const [name, step] of Object.entries(config.steps ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    applyStep(draft, name, step, spreadsDeploy);
  }
  if (config.deploy?.base) {
    deploy.base = config.deploy.base;
    const base = "image" in deploy.base ? deploy.base.image : JSON.stringify(deploy.base);
    decide(draft, `run the app on ${base}`, "because railpack.json's deploy.base says so");
  }
  if (config.deploy?.startCommand) {
    const by = draft.saidBy((file) => file.deploy?.startCommand, "RAILPACK_START_CMD");
    startWith(draft, config.deploy.startCommand, `because ${by} says so`);
  }
  deploy.paths = spread(config.deploy?.paths, deploy.paths, isDots);
  Object.assign(deploy.variables, config.deploy?.variables);
}

function applyAptPackages(draft: PlanDraft): void {
  const { config } = draft;
  needAsked(draft, "build", {
    part: (file) => file.buildAptPackages,
    variable: "RAILPACK_BUILD_APT_PACKAGES",
  });
  const asked = config.deploy?.aptPackages;
  if (!asked) return;
  if (!asked.some(isDots)) {
    draft.runtimeAptPackages.clear();
    for (const about of draft.decisions.map((one) => one.about))
      if (about.startsWith("packages of run time ")) forget(draft, about);
  }
  needAsked(draft, "run time", {
    part: (file) => file.deploy?.aptPackages,
    variable: "RAILPACK_DEPLOY_APT_PACKAGES",
  });
}

/** The packages that the configuration lists, each with the file or variable that lists it. */
function needAsked(
  draft: PlanDraft,
  when: "build" | "run time",
  { part, variable }: { part: (file: RailpackFile) => string[] | undefined; variable: string },
): void {
  const names = (part(draft.config) ?? []).filter((name) => !isDots(name));
  const asker = (name: string) => draft.saidBy((file) => part(file)?.find((one) => one === name), variable);
  for (const [by, asked] of Map.groupBy(names, asker))
    needPackages(draft, when, asked, `because ${by} asks for them`);
}

function applyStep(draft: PlanDraft, name: string, configured: RailpackStep, spreadsDeploy: boolean): void {
  const step = draft.steps.find((drafted) => drafted.name === name) ?? addOwnStep(draft, name);
  step.inputs = spread(configured.inputs, step.inputs, (layer: Layer) => "spread" in layer);
  step.commands = [
    ...spread(configured.commands, step.commands, isSpreadCommand),
    ...carried(step, configured),
  ];
  step.secrets = spread(configured.secrets, step.secrets, isDots);
  step.caches = spread(configured.caches, step.caches, isDots);
  Object.assign(step.variables, configured.variables);
  Object.assign(step.assets, configured.assets);
  if (configured.commands) {
    decide(draft, `run your own commands in the ${name} step`, `because ${saidBy(draft, name)} gives them`);
    // The generated ones that they replace are told no more.
    if (!configured.commands.some(isSpreadCommand))
      for (const about of [name, ...(name === "install" ? [versionsMayChange] : [])]) forget(draft, about);
  }
  addOutputs(draft, name, configured, spreadsDeploy);
}

/** Only who wrote it knows what it reads, so it may read every secret unless the file says which. */
function addOwnStep(draft: PlanDraft, name: string): Step {
  if (name.startsWith("packages:"))
    throw new PlanRefusal(`railpack.json's step ${name} is none whose commands can be changed`, {
      hint: "Name the step otherwise, and list tools in packages and Debian packages in buildAptPackages.",
    });
  const step = addStep(draft, name, toolsStep, `because ${saidBy(draft, name)} adds it`);
  step.secrets = ["*"];
  return step;
}

const saidBy = (draft: PlanDraft, step: string): string =>
  draft.saidBy(
    (file) => file.steps?.[step]?.commands ?? file.steps?.[step],
    `RAILPACK_${step.toUpperCase()}_CMD`,
  );

/** Files the planner itself puts into the app (the static server) stay when a person's commands replace its own. */
const carried = (step: Step, { commands }: RailpackStep): Command[] =>
  commands === undefined || commands.some(isSpreadCommand)
    ? []
    : step.commands.filter((command) => "name" in command);

const isSpreadCommand = (command: Command): boolean => "cmd" in command && command.cmd === spreadCommand;

/** A step of a person's own reaches the image whole, unless it says which parts, or says what the image is made of. */
function addOutputs(draft: PlanDraft, name: string, configured: RailpackStep, spreadsDeploy: boolean): void {
  const given = draft.deploy.inputs.filter((layer) => "step" in layer && layer.step === name);
  if (configured.deployOutputs === undefined && (!spreadsDeploy || given.length > 0)) return;
  for (const { include, exclude } of configured.deployOutputs ?? [{ include: ["."] }]) {
    const has = given.some((layer) =>
      include?.some((path) => layer.include?.includes(path) || layer.include?.includes(".")),
    );
    if (!has) draft.deploy.inputs.push(fromStep(name, include, exclude));
  }
}

const isDots = (text: string): boolean => text === "...";

function spread<T>(
  configured: readonly T[] | undefined,
  generated: readonly T[],
  isSpread: (value: T) => boolean,
): T[] {
  return configured === undefined
    ? [...generated]
    : configured.flatMap((value) => (isSpread(value) ? generated : [value]));
}

function withoutCaches(plan: BuildPlan, disabled: readonly string[]): BuildPlan {
  if (disabled.length === 0) return plan;
  const isOff = (name: string) => disabled.includes("*") || disabled.includes(name);
  return {
    ...plan,
    caches: Object.fromEntries(Object.entries(plan.caches).filter(([name]) => !isOff(name))),
    steps: plan.steps.map((step) => ({ ...step, caches: step.caches.filter((name) => !isOff(name)) })),
  };
}

/** Steps that nothing leads to would only be built for nothing. */
function withoutUnused(plan: BuildPlan): BuildPlan {
  const wanted = new Set<string>();
  const steps = new Map(plan.steps.toReversed().map((step) => [step.name, step]));
  const visit = (layers: readonly Layer[]): void => {
    for (const layer of layers) {
      if (!("step" in layer) || wanted.has(layer.step)) continue;
      wanted.add(layer.step);
      visit(steps.get(layer.step)?.inputs ?? []);
    }
  };
  visit([plan.deploy.base, ...plan.deploy.inputs]);
  return { ...plan, steps: plan.steps.filter((step) => wanted.has(step.name)) };
}
