import { lchown, lstat, mkdir } from "node:fs/promises";
import path from "node:path";
import type { BuildPlan, Step } from "@starform/build-plan/build-plan";
import type { PlanInfo } from "@starform/build-plan/plan-info";
import type { StepEnd } from "../../ports/build-service.ts";
import { bringTools, type ToolsForBuild } from "./bring-tools.ts";
import { sayBytes } from "./build-limits.ts";
import { stop } from "./build-stopped.ts";
import { copyTree, inside } from "./copy-tree.ts";
import type { ImageConfig, LaidOut } from "./image-store.ts";
import type { MachineTools } from "./machine-tools.ts";
import { systemPath } from "./program.ts";
import { addLayer, isToolsStep, runStep, visibleTo, type StepRun, type StepState } from "./run-step.ts";
import type { Rooms, Sandbox } from "./sandbox.ts";
import type { ProjectCache } from "./step-cache.ts";
import type { TreeDigest } from "./tree-digest.ts";

export type PlanRun = {
  readonly plan: BuildPlan;
  readonly info: PlanInfo;
  /** The app's own folder in the source. */
  readonly source: string;
  readonly workDir: string;
  readonly toolsDir: string;
  /** Keeps a tool's folder while the build goes on. */
  readonly holdTool: (from: string) => void;
  readonly machine: MachineTools;
  readonly sandbox: Sandbox;
  readonly cache: ProjectCache;
  readonly signal: AbortSignal;
  readonly keyOf: (input: unknown) => string;
  readonly noCache: boolean;
  readonly variables: Readonly<Record<string, string>>;
  /** Proxies, certificates, mirrors: what reaching a package registry takes on this machine. */
  readonly networkVariables: Readonly<Record<string, string>>;
  readonly say: (step: string, text: string, ended?: StepEnd) => void;
  /** Runs a command in the sandbox; throws BuildStopped unless it ends well. */
  readonly exec: (
    step: string,
    command: string,
    rooms: Rooms,
    env: Readonly<Record<string, string>>,
  ) => Promise<void>;
  readonly versionOf: (program: string) => Promise<string | undefined>;
};

/** Runs the steps of a plan and lays out the image's files in `app`. */
export async function runPlan(run: PlanRun, app: string): Promise<LaidOut> {
  const { plan, info, workDir } = run;
  const [home, tmp, opt, stepsDir] = ["home", "tmp", "opt", "steps"].map((name) =>
    path.join(workDir, name),
  ) as [string, string, string, string];
  const rooms = { home, tmp, opt };
  const tools = await bringTools(
    {
      toolsDir: run.toolsDir,
      nodeVersion: run.machine.nodeVersion,
      signal: run.signal,
      hold: run.holdTool,
      say: (text) => run.say("tools", text),
      versionOf: run.versionOf,
      install: async (tool, command) => {
        const scratch = path.join(workDir, "tool");
        await mkdir(scratch, { recursive: true });
        const toolRooms = { ...rooms, app: scratch, mounts: [], tools: [{ ...tool, isWritable: true }] };
        await run.exec(
          "tools",
          command(run.sandbox.toolDir(tool)),
          toolRooms,
          environment(run, undefined, [], {}),
        );
      },
    },
    info.versions,
  );
  const skipped = plan.steps.filter(({ name }) => name.startsWith("packages:apt"));
  for (const { name } of skipped)
    run.say(name, `skipped: system packages are this machine's own on the process runtime`);

  const states = new Map<string, StepState>();
  const stepRun: StepRun = {
    plan,
    source: run.source,
    stepsDir,
    uid: run.sandbox.uid,
    signal: run.signal,
    noCache: run.noCache,
    cache: run.cache,
    keyOf: run.keyOf,
    machineKey: [run.sandbox.kind, process.platform, process.arch, tools.versions],
    variables: run.variables,
    states,
    readers: countReaders(plan),
    say: run.say,
    run: async (step, command, state) => {
      const named = step.commands.find((one) => "cmd" in one && one.cmd === command);
      run.say(step.name, `$ ${(named && "customName" in named && named.customName) || command}`);
      const stepRooms: Rooms = {
        ...rooms,
        app: state.app,
        mounts: await mountsOf(run, step, state.app),
        tools: tools.brought.map((tool) => ({ ...tool, isWritable: false })),
      };
      const env = environment(run, stepRooms, toolBins(run, tools), state, visibleTo(step, run.variables));
      await oneAtATime(lockedMounts(run, step, stepRooms), () =>
        run.exec(step.name, command, stepRooms, env),
      );
    },
  };
  for (const step of plan.steps)
    if (!isToolsStep(step.name)) states.set(step.name, await runStep(stepRun, step));
  return layOut(run, stepRun, tools, app);
}

/** The files of the deploy section; the steps' trees are not written to any more, so links will do. */
async function layOut(run: PlanRun, stepRun: StepRun, tools: ToolsForBuild, app: string): Promise<LaidOut> {
  const { base, inputs, startCommand, variables, paths } = run.plan.deploy;
  if (startCommand === undefined) return stop("the build plan does not say how to start the app");
  for (const layer of "step" in base ? [base, ...inputs] : inputs)
    await addLayer(stepRun, layer, app, { link: true });
  const carried: string[] = [];
  const known = new Map<string, TreeDigest>();
  for (const tool of tools.brought) {
    const program = tool.name.replace(/-.*$/, "");
    if (!tool.isAlwaysCarried && !new RegExp(`\\b${program}x?\\b`).test(startCommand)) continue;
    const at = `.starform/tools/${tool.name}`;
    await copyTree({ root: tool.from, path: "." }, { root: app, path: at }, { link: true });
    known.set(at, tool.tree);
    carried.push(`/app/${at}/${tool.bin}`);
  }
  const config: ImageConfig = {
    cmd: startCommand,
    env: variables,
    workdir: "/app",
    paths: [...paths.filter((folder) => folder.startsWith("/app")), ...carried],
    ports: [],
    plan: { provider: run.info.providers[0] ?? "none", versions: tools.versions },
  };
  return { config, known };
}

const lockedMounts = ({ plan }: PlanRun, step: Step, rooms: Rooms): string[] =>
  step.caches.some((name) => plan.caches[name]?.type === "locked")
    ? rooms.mounts.map(({ from }) => from)
    : [];

const holders = new Map<string, Promise<unknown>>();

/** A tool whose cache is `locked` does not bear company in it: builds of this process take turns. */
async function oneAtATime<T>(folders: readonly string[], action: () => Promise<T>): Promise<T> {
  const before = folders.map((folder) => holders.get(folder));
  const mine = Promise.allSettled(before).then(action);
  for (const folder of folders)
    holders.set(
      folder,
      mine.catch(() => undefined),
    );
  return mine;
}

/** How many steps start from a step's files or take some: only the last may have the tree itself. */
function countReaders(plan: BuildPlan): Map<string, number> {
  const readers = new Map<string, number>();
  const layers = [...plan.steps.flatMap(({ inputs }) => inputs), plan.deploy.base, ...plan.deploy.inputs];
  for (const layer of layers)
    if ("step" in layer) readers.set(layer.step, (readers.get(layer.step) ?? 0) + 1);
  return readers;
}

const toolBins = ({ sandbox }: PlanRun, { brought }: ToolsForBuild): string[] =>
  brought.map((tool) => `${sandbox.toolDir(tool)}/${tool.bin}`);

/** Linux hands a program no single variable larger than this. */
const variableBytesMax = 128 * 1_024 - 1;

function environment(
  run: PlanRun,
  rooms: Rooms | undefined,
  toolPaths: readonly string[],
  state: Partial<Pick<StepState, "paths" | "variables">>,
  variables: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const adapt = (text: string) => (rooms ? run.sandbox.adapt(rooms, text) : text);
  const home = run.sandbox.kind === "plain" ? path.join(run.workDir, "home") : "/root";
  const tmp = run.sandbox.kind === "plain" ? path.join(run.workDir, "tmp") : "/tmp";
  const own = Object.fromEntries(
    Object.entries(state.variables ?? {}).map(([name, value]) => [name, adapt(value)]),
  );
  const { PATH: _path, HOME: _home, IFS: _ifs, ...given } = variables;
  for (const [name, value] of Object.entries(given))
    if (Buffer.byteLength(`${name}=${value}`) > variableBytesMax)
      stop(
        `the variable ${name} is larger than ${sayBytes(variableBytesMax + 1)}, which no program can be given: put it in a file of the source, or a bucket`,
      );
  return {
    ...run.networkVariables,
    LANG: "C.UTF-8",
    TMPDIR: tmp,
    ...own,
    ...given,
    HOME: home,
    PATH: [...(state.paths ?? []).map(adapt), ...toolPaths, run.sandbox.binDir, systemPath].join(":"),
  };
}

/** The step's folders that live between builds. One that a link of the source leads astray is left out. */
async function mountsOf(run: PlanRun, step: Step, app: string): Promise<Rooms["mounts"]> {
  if (run.noCache) return [];
  const mounts: { at: string; from: string }[] = [];
  for (const name of step.caches) {
    const directory = run.plan.caches[name]?.directory;
    if (directory === undefined) continue;
    // Yarn's default for root; builds run as another user, whose default is this one.
    const at = directory.replace("/usr/local/share/.cache", "/root/.cache");
    if (!/^\/(app|root|opt)\//.test(at)) continue;
    if (at.startsWith("/app/") && !(await makeMountPoint(run, app, at.slice("/app/".length)))) continue;
    mounts.push({ at, from: await run.cache.mount(name, run.sandbox.uid) });
  }
  return mounts;
}

/** The folder that is mounted over, and those on the way to it, made as the builder's own: steps write beside it. */
async function makeMountPoint({ sandbox: { uid } }: PlanRun, app: string, file: string): Promise<boolean> {
  const target = await inside(app, file, { make: true }).catch(() => undefined);
  const stats = target && (await lstat(target).catch(() => undefined));
  if (!target || (stats && !stats.isDirectory())) return false;
  await mkdir(target, { recursive: true });
  const names = path.posix.normalize(file).split("/").filter(Boolean);
  const folders = names.map((_, i) => path.join(app, ...names.slice(0, i + 1)));
  if (uid !== undefined) for (const folder of folders) await lchown(folder, uid, uid);
  return true;
}
