import { realpath, stat } from "node:fs/promises";
import path from "node:path";
import { assemblePlan } from "./assemble-plan.ts";
import { chooseProvider, noStart } from "./choose-provider.ts";
import type { BuildPlan } from "./build-plan.ts";
import { fromStep } from "./commands.ts";
import { addPlainBuild, newPlanDraft, type PlanDraft, startWith } from "./plan-draft.ts";
import type { Decision, PlanInfo } from "./plan-info.ts";
import { refuseBrokenLocks } from "./lock-files.ts";
import { PlanRefusal } from "./plan-refusal.ts";
import { type PlanVariables, planVariables } from "./plan-variables.ts";
import { mainProcess, readProcfile } from "./procfile.ts";
import type { Provider } from "./provider.ts";
import {
  commandSteps,
  mergeRailpackFiles,
  type RailpackFile,
  railpackFileOfVariables,
  readRailpackFile,
} from "./railpack-file.ts";
import { refuseUnwritable, writable } from "./refuse-unwritable.ts";
import { beginReading, openSourceTree, type Reading, type SourceTree } from "./source-tree.ts";
import { readStarformFile, type StarformFile } from "./starform-file.ts";

export interface PlanOptions {
  /** What the build will know; RAILPACK_* steer the plan, of the others the plan holds the names. */
  readonly variables?: Record<string, string>;
  /** Relative to the root directory; starform.json's if not given. */
  readonly dockerfilePath?: string;
  /** The app's folder in the source; starform.json's if not given. */
  readonly rootDirectory?: string;
  /** Whether a Dockerfile is taken; starform.json's if not given. */
  readonly builder?: NonNullable<StarformFile["builder"]>;
}

export type PlanOutcome =
  | {
      readonly ok: true;
      readonly kind: "plan";
      readonly plan: BuildPlan;
      readonly info: PlanInfo;
      /** The frontend image that the plan was made for; absent, any executor of the format runs it. */
      readonly frontend?: string;
    }
  /** `path` is relative to the root directory (`info.rootDirectory`), which is the build's context. */
  | { readonly ok: true; readonly kind: "dockerfile"; readonly path: string; readonly info: PlanInfo }
  | { readonly ok: false; readonly error: PlanError };

export interface PlanError {
  /** One sentence: what is wrong. */
  readonly message: string;
  readonly lookedFor: string[];
  /** What to do next. */
  readonly hint: string;
}

/** What a folder's plan is, and what was seen of it on the way; no tree where the folder itself could not be opened. */
export interface PlannedRoot {
  readonly outcome: PlanOutcome;
  readonly tree?: SourceTree;
}

/** Plans one folder of a source, without looking for further services. See `planSource`. */
export async function planRoot(
  dir: string,
  options: PlanOptions = {},
  reading: Reading = beginReading(),
): Promise<PlannedRoot> {
  let tree: SourceTree | undefined;
  try {
    const { root, rootDirectory, file } = await openRoot(dir, options);
    const at = rootDirectory === "." ? "" : `${rootDirectory}/`;
    tree = await openSourceTree(root, reading, at);
    return { outcome: planTree(tree, { ...options, rootDirectory }, file), tree };
  } catch (cause) {
    const { message, lookedFor, hint } = refusalOf(cause);
    const error = { message: writable(message), lookedFor: lookedFor.map(writable), hint: writable(hint) };
    return { outcome: { ok: false, error }, ...(tree ? { tree } : {}) };
  }
}

/** What a source does to its reader is the source's; what the machine does to it (no disk, no descriptor) is not. */
function refusalOf(cause: unknown): PlanRefusal {
  if (cause instanceof PlanRefusal) return cause;
  if (!(cause instanceof Error) || "syscall" in cause) throw cause;
  return new PlanRefusal(
    `this source is more than the planner can read (${cause.message.split("\n", 1)[0]})`,
    {
      hint: "Make the files that describe the app simpler, or add a Dockerfile, which is built without reading them.",
    },
  );
}

interface Root {
  readonly root: string;
  readonly rootDirectory: string;
  readonly file: StarformFile;
}

/** The app's own folder, and the starform.json that holds for it: its own, else the repository's. */
async function openRoot(dir: string, options: PlanOptions): Promise<Root> {
  await assertDirectory(dir, "this is not a folder");
  const outer = await starformFile(dir);
  const rootDirectory = path.posix
    .normalize(options.rootDirectory || outer?.rootDirectory || ".")
    .replace(/(.)\/$/, "$1");
  if (rootDirectory === ".") return { root: dir, rootDirectory, file: outer ?? {} };
  const root = path.join(dir, rootDirectory);
  await assertDirectory(root, `the root directory ${rootDirectory} is not a folder of the source`);
  const [realDir, realRoot] = await Promise.all([realpath(dir), realpath(root)]);
  if (rootDirectory.startsWith("/") || (realRoot !== realDir && !realRoot.startsWith(realDir + path.sep))) {
    throw new PlanRefusal(`the root directory ${rootDirectory} is outside of the source`, {
      hint: "Name a folder inside the repository.",
    });
  }
  return { root, rootDirectory, file: (await starformFile(root)) ?? outer ?? {} };
}

async function assertDirectory(dir: string, message: string): Promise<void> {
  const stats = await stat(dir).catch(() => undefined);
  if (!stats?.isDirectory())
    throw new PlanRefusal(message, {
      hint: "Check the path, or the root directory in the service's settings.",
    });
}

async function starformFile(dir: string): Promise<StarformFile | undefined> {
  const outcome = await readStarformFile(dir);
  if (outcome.kind === "refused")
    throw new PlanRefusal(outcome.message, { hint: "Correct starform.json, commit it, and deploy again." });
  return outcome.kind === "read" ? outcome.file : undefined;
}

function planTree(
  tree: SourceTree,
  options: PlanOptions & { rootDirectory: string },
  file: StarformFile,
): PlanOutcome {
  const builder = options.builder ?? file.builder ?? "auto";
  const dockerfile =
    builder === "railpack"
      ? undefined
      : dockerfileOf(tree, options.dockerfilePath ?? file.dockerfilePath, builder);
  if (dockerfile) {
    const decisions: Decision[] = [
      { about: "build", what: `build ${dockerfile}`, reason: "a Dockerfile wins over everything detected" },
      ...notesOf(tree),
    ];
    return {
      ok: true,
      kind: "dockerfile",
      path: dockerfile,
      info: { providers: [], versions: {}, decisions, rootDirectory: options.rootDirectory },
    };
  }
  const variables = planVariables(options.variables);
  const { rootDirectory } = options;
  const draft = newPlanDraft({ tree, variables, rootDirectory, ...configurationOf(tree, variables, file) });
  const provider = chooseProvider(draft);
  if (provider) refuseBrokenLocks(tree, provider.name);
  provider?.plan(draft);
  applyProcfile(draft, provider);
  const plan = assemblePlan(draft);
  if (plan.deploy.startCommand === undefined) throw noStart(draft, provider);
  const { versions, decisions } = draft;
  const providers = [provider?.name ?? "procfile"];
  const info = {
    providers,
    versions,
    decisions: [...decisions, ...notesOf(tree)],
    rootDirectory: options.rootDirectory,
  };
  refuseUnwritable({ plan, info });
  return { ok: true, kind: "plan", plan, info };
}

/** What was passed over, as it stands among the decisions. */
export const notesOf = ({ notes }: { readonly notes: readonly string[] }): Decision[] =>
  notes.map((note) => ({
    about: note,
    what: note,
    reason: "what the planner reads of a source is bounded",
  }));

function dockerfileOf(
  tree: SourceTree,
  configured: string | undefined,
  builder: NonNullable<PlanOptions["builder"]>,
): string | undefined {
  const wanted = path.posix.normalize(configured ?? "Dockerfile");
  if (tree.hasFile(wanted)) return wanted;
  if (configured === undefined && builder !== "dockerfile") return undefined;
  throw new PlanRefusal(`there is no ${wanted} in the source`, {
    lookedFor: [wanted],
    hint: `Add ${wanted}, or correct the Dockerfile's path in the service's settings.`,
  });
}

/** railpack.json, over it starform.json, over it the variables: what is nearer to the operator wins. */
function configurationOf(
  tree: SourceTree,
  variables: PlanVariables,
  file: StarformFile,
): Pick<PlanDraft, "config" | "saidBy"> {
  const own: RailpackFile = {
    ...(file.installCommand || file.buildCommand
      ? { steps: commandSteps({ install: file.installCommand, build: file.buildCommand }) }
      : {}),
    ...(file.startCommand ? { deploy: { startCommand: file.startCommand } } : {}),
  };
  const [written, set] = [readRailpackFile(tree, variables), railpackFileOfVariables(variables)];
  return {
    config: mergeRailpackFiles(written, own, set),
    saidBy(part, variable) {
      // A service's own commands reach the planner as these variables too.
      if (part(set) !== undefined)
        return variable.endsWith("_CMD") ? `${variable} (or the service's settings)` : variable;
      return part(own) === undefined ? (variables.get("CONFIG_FILE") ?? "railpack.json") : "starform.json";
    },
  };
}

/** A Procfile says how to start whatever was detected; without anything detected, the source runs as it is. */
function applyProcfile(draft: PlanDraft, provider: Provider | undefined): void {
  if (!provider) {
    addPlainBuild(draft, "because nothing but how to start is known, so the source runs as it is");
    draft.deploy.inputs.push(fromStep("build", ["."]));
  }
  const process = mainProcess(readProcfile(draft.tree));
  if (!process) return;
  startWith(draft, process.command, `because the Procfile's ${process.name} says so`);
}
