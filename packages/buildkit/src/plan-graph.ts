import { createHash } from "node:crypto";
import { posix } from "node:path";
import { BuildFailed } from "./build-failed.ts";
import type { Bridge, ImageConfig } from "./gateway.ts";
import { exec, files, image, local, type Hosts, type Vertex } from "./llb.ts";
import type { Plan, PlanCommand, PlanLayer, PlanStep } from "./plan.ts";
import { appDir, copyFromContext, copyLayer, copyLocal, type CopyAbility } from "./plan-copy.ts";
import { railpackBase, type Bases } from "./stand-in.ts";

export type PlanInput = {
  readonly contextDir: string;
  readonly plan: Plan;
  /** Stand in for the plan's own builder and runtime images. Absent: those are fetched by the names in the plan. */
  readonly bases?: Bases;
  readonly secrets?: Readonly<Record<string, string>>;
  /** Keeps the caches of one owner from every other. */
  readonly cacheNamespace: string;
  readonly ignore?: readonly string[];
  readonly hosts?: Hosts;
};

/** What a plan starts from that names nothing: Railpack's. */
const plansOwn: Bases = {
  builder: "ghcr.io/railwayapp/railpack-builder:latest",
  runtime: "ghcr.io/railwayapp/railpack-runtime:latest",
};

/** A step's files, and the environment that flows to the steps built on it. */
type State = {
  readonly tree: Vertex;
  readonly env: Readonly<Record<string, string>>;
  readonly paths: readonly string[];
};
type Graph = PlanInput & {
  readonly bases: Bases;
  readonly source: Vertex;
  readonly ability: CopyAbility;
  readonly canSecretEnv: boolean;
  readonly stateOf: (layer: PlanLayer) => Promise<State>;
};

const secretsDir = "/run/secrets/starform";

/** The graph whose end is the image's files, and the image's config. Rejects with BuildFailed on a plan that names what it does not have. */
export async function planGraph(
  bridge: Bridge,
  input: PlanInput,
): Promise<{ last: Vertex; config: ImageConfig }> {
  const { plan, bases = plansOwn } = input;
  const ability = { canExclude: bridge.llbCapabilities.has("file.copy.includeexcludepatterns") };
  const canSecretEnv = bridge.llbCapabilities.has("exec.secretenv");
  const source = local("context", bridge.session, { name: "load source", exclude: plan.exclude ?? [] });
  const configs = new Map<string, Promise<ImageConfig>>();
  const done = new Map<string, Promise<State>>();
  const configOf = (reference: string): Promise<ImageConfig> =>
    remember(configs, reference, () => bridge.imageConfig(reference));
  const graph: Graph = {
    ...input,
    bases,
    ability,
    canSecretEnv,
    source,
    async stateOf(layer) {
      if (layer.step !== undefined)
        return remember(done, layer.step, () => stepState(graph, stepNamed(plan, layer.step ?? "")));
      const reference = imageFor(layer.image ?? bases.builder, bases);
      return {
        tree: image(reference, { session: bridge.session }),
        ...environmentOf(await configOf(reference)),
        paths: [],
      };
    },
  };
  refuseCycles(plan);
  const base = await graph.stateOf(plan.deploy.base ?? { image: bases.runtime });
  let tree = base.tree;
  for (const layer of plan.deploy.inputs ?? []) tree = await copied(graph, tree, layer, "deploy");
  const runtime = await configOf(imageFor(imageUnder(plan, plan.deploy.base), bases));
  return { last: tree, config: imageConfig(plan, base, runtime) };
}

function remember<T>(known: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const made = known.get(key) ?? make();
  known.set(key, made);
  return made;
}

const imageFor = (reference: string, bases: Bases): string =>
  bases === plansOwn ? reference : (railpackBase(reference, bases) ?? reference);

function stepNamed({ steps = [] }: Plan, name: string): PlanStep {
  const step = steps.find((one) => one.name === name);
  if (!step) throw new BuildFailed(`the build plan refers to a step "${name}" that it does not have`);
  return step;
}

/** The image at the bottom of a chain of steps. */
function imageUnder(plan: Plan, layer: PlanLayer | undefined): string {
  if (layer?.step === undefined) return layer?.image ?? plansOwn.runtime;
  return imageUnder(plan, stepNamed(plan, layer.step).inputs?.[0] ?? { image: plansOwn.builder });
}

function refuseCycles(plan: Plan): void {
  const finished = new Set<string>();
  const visit = (name: string, trail: readonly string[]): void => {
    if (trail.includes(name))
      throw new BuildFailed(`the build plan's steps wait for each other: ${[...trail, name].join(" → ")}`);
    if (finished.has(name)) return;
    for (const { step } of stepNamed(plan, name).inputs ?? [])
      if (step !== undefined) visit(step, [...trail, name]);
    finished.add(name);
  };
  for (const { name } of plan.steps ?? []) visit(name, []);
  for (const { step } of [plan.deploy.base ?? {}, ...(plan.deploy.inputs ?? [])])
    if (step !== undefined) visit(step, []);
}

async function stepState(graph: Graph, step: PlanStep): Promise<State> {
  const inputs = (step.inputs ?? []).filter(({ spread }) => !spread);
  const startsFromTree = inputs[0] !== undefined && !inputs[0].local && !inputs[0].include;
  const base = await graph.stateOf(startsFromTree && inputs[0] ? inputs[0] : { image: graph.bases.builder });
  let [tree, env, paths] = [base.tree, { ...base.env }, [...base.paths]];
  for (const layer of startsFromTree ? inputs.slice(1) : inputs) {
    tree = await copied(graph, tree, layer, step.name);
    if (layer.step === undefined) continue;
    const other = await graph.stateOf(layer);
    env = { ...other.env, ...env };
    paths = [...new Set([...paths, ...other.paths])];
  }
  let state: State = { tree, env: { ...env, ...step.variables }, paths };
  for (const command of step.commands ?? []) state = await applied(graph, step, command, state);
  return state;
}

async function copied(graph: Graph, tree: Vertex, layer: PlanLayer, step: string): Promise<Vertex> {
  if (layer.spread) return tree;
  if (layer.local)
    return (
      copyLocal(tree, graph.source, graph.contextDir, layer, graph.ability, `${step}: copy source`) ?? tree
    );
  const from = await graph.stateOf(layer);
  const what = layer.step ?? layer.image ?? "image";
  return copyLayer(
    tree,
    from.tree,
    layer,
    graph.ability,
    `${step}: copy ${listed(layer.include ?? [appDir])} from ${what}`,
  );
}

const listed = ([first = "", second, ...more]: readonly string[]): string =>
  [first, second, more.length > 0 && `${more.length} more`].filter(Boolean).join(", ");

async function applied(graph: Graph, step: PlanStep, command: PlanCommand, state: State): Promise<State> {
  if (command.cmd !== undefined)
    return { ...state, tree: runCommand(graph, step, command, command.cmd, state) };
  if (command.src !== undefined)
    return { ...state, tree: await copyCommand(graph, step, command, state.tree) };
  if (command.path === undefined) return state;
  if (command.name === undefined)
    return { ...state, paths: [command.path, ...state.paths.filter((path) => path !== command.path)] };
  const data = step.assets?.[command.name];
  if (data === undefined)
    throw new BuildFailed(`the step "${step.name}" writes an asset "${command.name}" that it does not have`);
  const path = posix.resolve(appDir, command.path);
  const mkfile = { path, data, ...(command.mode && { mode: command.mode }) };
  const made = [{ mkdir: { path: posix.dirname(path) } }, { mkfile }];
  return {
    ...state,
    tree: files(state.tree, made, `${step.name}: ${command.customName ?? `write ${command.path}`}`),
  };
}

async function copyCommand(
  graph: Graph,
  step: PlanStep,
  command: PlanCommand,
  tree: Vertex,
): Promise<Vertex> {
  const { src = "", dest = src } = command;
  const name = `${step.name}: ${command.customName ?? `copy ${src}`}`;
  if (command.image === undefined) {
    const copies = copyFromContext(graph.source, graph.contextDir, src, dest, undefined, graph.ability);
    return copies.length === 0 ? tree : files(tree, copies, name);
  }
  const from = (await graph.stateOf({ image: command.image })).tree;
  return files(
    tree,
    [{ copy: { from, src: posix.join("/", src), dest: posix.resolve(appDir, dest) } }],
    name,
  );
}

function runCommand(graph: Graph, step: PlanStep, command: PlanCommand, cmd: string, state: State): Vertex {
  const secrets = secretNames(graph, step);
  const caches = (step.caches ?? []).flatMap((name) => {
    const { directory, type = "shared" } = graph.plan.caches?.[name] ?? {};
    return directory
      ? [{ id: `${graph.cacheNamespace}/${name}`, dir: posix.resolve(appDir, directory), sharing: type }]
      : [];
  });
  return exec({
    base: state.tree,
    cwd: appDir,
    caches,
    ...(graph.hosts && { hosts: graph.hosts }),
    env: environment(state),
    args: ["/bin/sh", "-c", script(cmd, secrets, graph)],
    name: `${step.name}: ${command.customName ?? readable(cmd)}`,
    ...(graph.canSecretEnv
      ? { secretEnv: secrets }
      : { secrets: secrets.map((id) => ({ id, path: `${secretsDir}/${id}` })) }),
  });
}

/** The secrets a step may read: what it asks for of what the plan names and the caller gave. */
function secretNames({ plan, secrets = {} }: Graph, step: PlanStep): string[] {
  const asked = step.secrets ?? [];
  const named = asked.includes("*") ? (plan.secrets ?? Object.keys(secrets)) : asked;
  return named.filter((name) => Object.hasOwn(secrets, name) && /^[A-Za-z_]\w*$/.test(name)).toSorted();
}

/**
 * Old builders ignore secret variables without a word, so there they arrive as files. The digest makes a changed
 * secret run the step again; it is keyed by owner, so it says nothing to anyone else.
 */
function script(cmd: string, names: readonly string[], graph: Graph): string {
  if (names.length === 0) return cmd;
  const { secrets = {}, cacheNamespace, canSecretEnv } = graph;
  const hash = createHash("sha256").update(cacheNamespace);
  for (const name of names) hash.update(`\0${name}\0${secrets[name]}`);
  const exports = names.map(
    (name) => `${name}="$(cat ${secretsDir}/${name}; printf x)"; export ${name}="\${${name}%x}"`,
  );
  return [`: ${hash.digest("hex").slice(0, 16)}`, ...(canSecretEnv ? [] : exports), cmd].join("\n");
}

/** `sh -c 'npm ci'` is shown as `npm ci`. */
const readable = (cmd: string): string =>
  (/^(?:\/bin\/)?(?:ba)?sh -c '([^']*)'$/.exec(cmd)?.[1] ?? cmd).replaceAll("\n", " ").slice(0, 200);

/** Where mise puts the programs of what it installed; an image they are copied to finds them there. */
const toolShims = "/mise/shims";
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

function environment({ env, paths }: State): Record<string, string> {
  return { HOME: "/root", ...env, PATH: [...paths, env["PATH"] ?? defaultPath].join(":") };
}

function environmentOf({ config }: ImageConfig): { env: Record<string, string> } {
  const pairs = (config?.Env ?? []).map((line) => [
    line.slice(0, line.indexOf("=")),
    line.slice(line.indexOf("=") + 1),
  ]);
  return { env: Object.fromEntries(pairs) as Record<string, string> };
}

function imageConfig({ deploy }: Plan, base: State, runtime: ImageConfig): ImageConfig {
  const { env } = environmentOf(runtime);
  const hasTools = (deploy.inputs ?? []).some(({ include }) => include?.includes(toolShims));
  const path = [...(hasTools ? [toolShims] : []), ...(deploy.paths ?? []), env["PATH"] ?? defaultPath].join(
    ":",
  );
  const variables = { ...env, ...deploy.variables, PATH: path };
  return {
    architecture: runtime.architecture ?? "amd64",
    os: runtime.os ?? "linux",
    rootfs: { type: "layers", diff_ids: [] },
    config: {
      Env: Object.entries(variables).map(([name, value]) => `${name}=${value}`),
      Entrypoint: ["/bin/bash", "-c"],
      Cmd: [deploy.startCommand ?? "echo 'this image has no start command' >&2; exit 1"],
      WorkingDir: appDir,
    },
  };
}
