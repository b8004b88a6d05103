import type { BuildPlan, Command, Layer, Step } from "./build-plan.ts";
import { word } from "./commands.ts";

/**
 * The plan as a Dockerfile of several stages that builds the same image without Starform. It needs BuildKit (cache and
 * secret mounts) and no newer syntax than Docker 20.10 reads, so nothing is fetched to read it.
 */
export function ejectDockerfile(plan: BuildPlan): string {
  const stages = plan.steps.map((step) => stageOf(plan, step));
  const ignored = plan.exclude.length === 0 ? [] : [`# Its .dockerignore: ${plan.exclude.join(" ")}`];
  return (
    [[header, ...ignored].join("\n"), ...stages, ...trimmedStages(plan), deployStage(plan)].join("\n\n") +
    "\n"
  );
}

const header = "# Made by `starform eject` from the build plan; from here on it is yours. Needs BuildKit.";
/** Stage names may hold no colon. */
const stageName = (step: string): string => step.toLowerCase().replace(/[^a-z0-9_.-]+/g, "-");

function stageOf(plan: BuildPlan, step: Step): string {
  const [base, ...rest] = step.inputs;
  return [
    `FROM ${base ? imageOf(base) : "scratch"} AS ${stageName(step.name)}`,
    "WORKDIR /app",
    ...environment(step.variables),
    ...rest.flatMap(copies),
    ...step.commands.flatMap((command) => instructions(plan, step, command)),
  ].join("\n");
}

function deployStage({ deploy }: BuildPlan): string {
  return [
    `FROM ${imageOf(deploy.base)}`,
    "WORKDIR /app",
    ...deploy.inputs.flatMap(copies),
    ...environment(deploy.variables),
    ...(deploy.paths.length > 0 ? [`ENV PATH=${deploy.paths.join(":")}:$PATH`] : []),
    ...(deploy.inputs.some((layer) => layer.include?.includes("/mise/shims"))
      ? ["ENV PATH=/mise/shims:$PATH"]
      : []),
    'ENTRYPOINT ["/bin/bash", "-c"]',
    ...(deploy.startCommand === undefined ? [] : [`CMD [${JSON.stringify(deploy.startCommand)}]`]),
  ].join("\n");
}

const imageOf = (layer: Layer): string =>
  "image" in layer ? layer.image : "step" in layer ? stageName(layer.step) : "scratch";

const environment = (variables: Readonly<Record<string, string>>): string[] =>
  Object.entries(variables)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `ENV ${name}=${dockerWord(value)}`);

/** Quoted for ENV, where `$` would be expanded and a line break would end the instruction. */
const dockerWord = (value: string): string =>
  /^[A-Za-z0-9_./:@%+,=-]+$/.test(value)
    ? value
    : `"${value.replace(/[\\"$]/g, "\\$&").replaceAll("\n", "\\n")}"`;

/**
 * COPY leaves nothing out in the syntax that every version reads, so a layer with exclusions is copied from a stage
 * in which they are removed.
 */
function trimmedStages({ deploy }: BuildPlan): string[] {
  const names = new Set<string>();
  return deploy.inputs.flatMap((layer) => {
    const name = sourceStage(layer);
    if (!("step" in layer) || !isTrimmed(layer) || names.has(name)) return [];
    names.add(name);
    const removed = (layer.exclude ?? []).map((path) => word(absolute(path))).join(" ");
    return [`FROM ${stageName(layer.step)} AS ${name}\nRUN rm -rf ${removed}`];
  });
}

const isTrimmed = (layer: Layer): boolean => "step" in layer && (layer.exclude?.length ?? 0) > 0;
const sourceStage = (layer: Layer): string =>
  isTrimmed(layer) ? stageName(`${imageOf(layer)}-without-${layer.exclude!.join("-")}`) : imageOf(layer);

function copies(layer: Layer): string[] {
  const from = "local" in layer ? "" : `--from=${sourceStage(layer)} `;
  if ("spread" in layer) return [];
  return (layer.include ?? ["."]).map((path) => {
    const at = "local" in layer ? path : absolute(path);
    return `COPY ${from}${jsonIfNeeded(folder(at), folder(at))}`;
  });
}

const absolute = (path: string): string =>
  path.startsWith("/") ? path : path === "." ? "/app" : `/app/${path}`;
const folder = (path: string): string => (path === "." ? "./" : path === "/app" ? "/app/" : path);
const jsonIfNeeded = (...paths: string[]): string =>
  paths.some((path) => /[\s"]/.test(path)) ? JSON.stringify(paths) : paths.join(" ");

function instructions(plan: BuildPlan, step: Step, command: Command): string[] {
  if ("cmd" in command)
    return [
      ...(command.customName ? [`# ${command.customName.replaceAll("\n", " ")}`] : []),
      run(plan, step, command.cmd),
    ];
  if ("src" in command)
    return [
      `COPY ${command.image ? `--from=${command.image} ` : ""}${jsonIfNeeded(folder(command.src), folder(command.dest))}`,
    ];
  if ("name" in command) return [writeFile(command.path, step.assets[command.name] ?? "", command.mode)];
  return [`ENV PATH=${command.path}:$PATH`];
}

/** One RUN with its caches, and its secrets as files that are read into the environment of this command alone. */
function run(plan: BuildPlan, step: Step, cmd: string): string {
  const caches = step.caches.flatMap((name) => {
    const cache = plan.caches[name];
    return cache ? [`--mount=type=cache,id=${name},target=${cache.directory},sharing=${cache.type}`] : [];
  });
  const secrets = step.secrets.includes("*")
    ? plan.secrets
    : step.secrets.filter((name) => plan.secrets.includes(name));
  const mounts = [...caches, ...secrets.map((name) => `--mount=type=secret,id=${name}`)];
  const exports = secrets.map(
    (name) => `if [ -f /run/secrets/${name} ]; then export ${name}="$(cat /run/secrets/${name})"; fi`,
  );
  const lines = cmd.replaceAll("\n", "\\\n");
  return ["RUN", ...mounts.map((mount) => `${mount} \\\n   `), [...exports, lines].join(" && \\\n    ")].join(
    " ",
  );
}

/** A file from text, readable where plain text allows it. */
function writeFile(path: string, text: string, mode: number | undefined): string {
  const parent = path.includes("/") ? path.slice(0, path.lastIndexOf("/")) || "/" : ".";
  const chmod = mode === undefined ? "" : ` && chmod ${mode.toString(8)} ${word(path)}`;
  const isPlain = text.endsWith("\n") && !/<<|\\\n|\r|\0/.test(text) && text.length < 20_000;
  const content = isPlain
    ? `printf '%s\\n' \\\n${text
        .slice(0, -1)
        .split("\n")
        .map((line) => `      ${quoted(line)} \\`)
        .join("\n")}\n      > ${word(path)}`
    : `printf %s ${Buffer.from(text)
        .toString("base64")
        .replace(/.{100}(?=.)/g, "$&\\\n")} | base64 -d > ${word(path)}`;
  return `RUN mkdir -p ${word(parent)} && ${content}${chmod}`;
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
