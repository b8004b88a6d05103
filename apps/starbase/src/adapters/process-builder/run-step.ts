import { chmod, mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { createHash } from "node:crypto";
import type { BuildPlan, Layer, Step } from "@starform/build-plan/build-plan";
import { sayDuration } from "@starform/std/duration";
import type { StepEnd } from "../../ports/build-service.ts";
import { stop } from "./build-stopped.ts";
import { copyTree, inside } from "./copy-tree.ts";
import { runProgram } from "./program.ts";
import type { ProjectCache } from "./step-cache.ts";
import { digestTree } from "./tree-digest.ts";

/** What a step hands on to those that start from it. */
export type StepState = {
  /** The step's /app on the machine; taken over by the next step where nobody else needs it. */
  app: string;
  readonly paths: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
  /** What all of it depends on; undefined where that is the whole source. */
  readonly key: string | undefined;
};

export type StepRun = {
  readonly plan: BuildPlan;
  readonly source: string;
  readonly stepsDir: string;
  readonly uid: number | undefined;
  readonly signal: AbortSignal;
  readonly noCache: boolean;
  readonly cache: ProjectCache;
  readonly keyOf: (input: unknown) => string;
  /** What beside the plan decides a result: versions of tools. */
  readonly machineKey: unknown;
  /** All of the build's variables; a step sees those its `secrets` name. */
  readonly variables: Readonly<Record<string, string>>;
  readonly states: Map<string, StepState>;
  /** How many steps and images still start from or take files of a step. */
  readonly readers: Map<string, number>;
  readonly say: (step: string, text: string, ended?: StepEnd) => void;
  readonly run: (step: Step, command: string, state: Omit<StepState, "key">) => Promise<void>;
};

/** Steps that install what the machine itself has. */
export const isToolsStep = (name: string): boolean => name.startsWith("packages:") || name === "caddy";

export async function runStep(run: StepRun, step: Step): Promise<StepState> {
  const base = baseOf(run, step);
  const key = await stepKey(run, step, base);
  const state: StepState = {
    app: path.join(run.stepsDir, step.name.replaceAll(/[^\w.-]/g, "_"), "app"),
    paths: [
      ...(base?.paths ?? []),
      ...step.commands.flatMap((command) =>
        "path" in command && !("name" in command) ? [command.path] : [],
      ),
    ],
    variables: { ...base?.variables, ...step.variables },
    key,
  };
  await mkdir(path.dirname(state.app), { recursive: true });
  const does = step.commands.some((command) => "cmd" in command);
  if (key && does && !run.noCache && (await run.cache.restore(key, state.app, run.signal))) {
    run.say(step.name, `cached: nothing that "${step.name}" depends on has changed`, { outcome: "cached" });
    return state;
  }
  const startedMs = performance.now();
  const over = (outcome: "done" | "failed") => {
    const durationMs = Math.round(performance.now() - startedMs);
    const words = outcome === "done" ? "done in" : "failed after";
    if (does) run.say(step.name, `${words} ${sayDuration(durationMs)}`, { outcome, durationMs });
  };
  try {
    await startFrom(run, step, base, state.app);
    for (const layer of step.inputs.slice(1)) await addLayer(run, layer, state.app);
    await commands(run, step, state);
  } catch (error) {
    over("failed");
    throw error;
  }
  over("done");
  if (key && does && !run.noCache) await run.cache.save(key, state.app, run.signal);
  return state;
}

function baseOf(run: StepRun, step: Step): StepState | undefined {
  const first = step.inputs[0];
  return first && "step" in first && !isToolsStep(first.step) ? stateOf(run, first.step) : undefined;
}

const stateOf = (run: Pick<StepRun, "states">, name: string): StepState =>
  run.states.get(name) ??
  stop(`the build plan takes files from a step "${name}", which it does not have before`);

/** The tree of the step before: taken over when this was its last reader, else copied. */
async function startFrom(run: StepRun, step: Step, base: StepState | undefined, app: string): Promise<void> {
  const first = step.inputs[0];
  if (!base || !first || !("step" in first)) {
    await mkdir(app);
    if (first && "local" in first) await addLayer(run, first, app);
    return;
  }
  const left = (run.readers.get(first.step) ?? 1) - 1;
  run.readers.set(first.step, left);
  if (left === 0) return rename(base.app, app);
  await mkdir(app);
  await copyTree({ root: base.app, path: "." }, { root: app, path: "." }, { signal: run.signal });
}

/** Adds the files of a layer: of the source, or of another step. What lies outside of /app is not kept on this runtime. */
export async function addLayer(
  run: Pick<StepRun, "plan" | "source" | "states" | "say" | "signal">,
  layer: Layer,
  app: string,
  options: { link?: boolean } = {},
): Promise<void> {
  if ("image" in layer || "spread" in layer || ("step" in layer && isToolsStep(layer.step))) return;
  const isLocal = "local" in layer;
  const root = isLocal ? run.source : stateOf(run, layer.step).app;
  const exclude = [...(layer.exclude ?? []), ...(isLocal ? [".git", ...run.plan.exclude] : [])];
  for (const included of layer.include ?? ["."]) {
    const file = included === "/app" ? "." : included.replace(/^\/app\//, "");
    if (file.startsWith("/")) {
      if (!/^\/(mise|opt\/corepack)(\/|$)/.test(file))
        run.say("deploy", `${file} lies outside of /app and is not kept on the process runtime`);
      continue;
    }
    // A step that had nothing to install made no folder: an image without it is right.
    if (!isLocal && !(await stat(path.join(root, file)).catch(() => undefined))) continue;
    await copyTree(
      { root, path: file },
      { root: app, path: file },
      { exclude, signal: run.signal, ...options },
    );
  }
}

async function commands(run: StepRun, step: Step, state: StepState): Promise<void> {
  let isOwned = false;
  for (const command of step.commands) {
    if ("cmd" in command) {
      if (isCorepackSetUp(command.cmd)) continue;
      if (!isOwned && run.uid !== undefined)
        await runProgram("chown", ["-R", "-h", `${run.uid}:${run.uid}`, state.app]);
      isOwned = true;
      await run.run(step, command.cmd, state);
    } else if ("src" in command) {
      if (command.image)
        stop(
          `the step "${step.name}" copies files of the image ${command.image}, which the process runtime cannot: start the platform with --runtime docker`,
        );
      await copyTree(
        { root: run.source, path: command.src },
        { root: state.app, path: command.dest.replace(/^\/app(?=\/|$)/, "") || "." },
        { exclude: [".git", ...run.plan.exclude], signal: run.signal },
      );
      isOwned = false;
    } else if ("name" in command) {
      await writeAsset(step, command, state.app);
      isOwned = false;
    }
  }
}

/** The package manager was brought with the tools. */
const isCorepackSetUp = (cmd: string): boolean => /corepack (enable|prepare)/.test(cmd);

async function writeAsset(
  step: Step,
  { path: at, name, mode }: { path: string; name: string; mode?: number },
  app: string,
): Promise<void> {
  const text =
    step.assets[name] ??
    stop(`the step "${step.name}" writes a file "${name}", which the plan does not hold`);
  if (at.startsWith("/") && !at.startsWith("/app/"))
    stop(
      `the step "${step.name}" writes ${at}, which lies outside of /app: the process runtime keeps only the app's folder; start the platform with --runtime docker`,
    );
  const file = await inside(app, at.replace(/^\/app\//, ""), { make: true });
  await rm(file, { force: true });
  await writeFile(file, text);
  await chmod(file, mode ?? 0o644);
}

/** A digest of all that decides the step's result; none for steps on the whole source, which differ every time. */
async function stepKey(run: StepRun, step: Step, base: StepState | undefined): Promise<string | undefined> {
  if (base && base.key === undefined) return undefined;
  const takesAll = (file: string) => ["", ".", "/app"].includes(file.replace(/^\.\//, ""));
  const layers: unknown[] = [];
  for (const layer of step.inputs) {
    if ("local" in layer) {
      if (!layer.include || layer.include.some(takesAll)) return undefined;
      for (const file of layer.include) layers.push([file, layer.exclude, await digestOf(run.source, file)]);
    } else if ("step" in layer && !isToolsStep(layer.step)) {
      const { key } = stateOf(run, layer.step);
      if (key === undefined) return undefined;
      layers.push([layer, key]);
    }
  }
  const copied: unknown[] = [];
  for (const command of step.commands) {
    if (!("src" in command)) continue;
    if (takesAll(command.src)) return undefined;
    copied.push([command.src, await digestOf(run.source, command.src)]);
  }
  const caches = step.caches.map((name) => [name, run.plan.caches[name]]);
  return run.keyOf([
    1,
    run.machineKey,
    base?.key ?? null,
    layers,
    copied,
    step,
    caches,
    run.plan.exclude,
    visibleTo(step, run.variables),
  ]);
}

async function digestOf(root: string, file: string): Promise<string> {
  const full = await inside(root, file);
  const stats = await stat(full).catch(() => undefined);
  if (!stats) return "absent";
  return stats.isDirectory()
    ? (await digestTree(full)).hex
    : createHash("sha256")
        .update(await readFile(full))
        .digest("hex");
}

/** The variables a step may see. */
export function visibleTo(step: Step, variables: Readonly<Record<string, string>>): Record<string, string> {
  const all = step.secrets.includes("*");
  return Object.fromEntries(Object.entries(variables).filter(([name]) => all || step.secrets.includes(name)));
}
