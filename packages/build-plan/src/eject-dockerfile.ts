import type { BuildPlan, Command, Layer, Step } from "./build-plan.ts";
import { word } from "./commands.ts";
import { PlanRefusal } from "./plan-refusal.ts";

/**
 * The plan as a Dockerfile of several stages that builds the same image without Starform. It needs BuildKit (cache and
 * secret mounts) and no newer syntax than Docker 20.10 reads, so nothing is fetched to read it. Throws PlanRefusal for a
 * plan that no Dockerfile can say.
 */
export function ejectDockerfile(plan: BuildPlan): string {
  refuseLineBreaks(plan);
  const stages = [
    ...plan.steps.map((step) => stageOf(plan, step)),
    ...trimmedStages(plan),
    deployStage(plan),
  ];
  const body = stages.join("\n\n");
  const args = basesOf(plan).map(({ name, image }) => `ARG ${name}=${image}`);
  return `${[...header(plan, body), ...args].join("\n")}\n\n${body}\n`;
}

/** The lines of the .dockerignore beside it: what the plan leaves out, and the two files that only build it. */
export const ejectedIgnores = ({ exclude }: Pick<BuildPlan, "exclude">): string[] => [
  ...new Set([...exclude, "Dockerfile", ".dockerignore"]),
];

/** ENV ends with its line, whatever stands in it; a command, a file and a secret may have many. */
function refuseLineBreaks({ steps, deploy }: BuildPlan): void {
  for (const { variables } of [...steps, deploy])
    for (const [name, value] of Object.entries(variables))
      if (/[\r\n]/.test(value))
        throw new PlanRefusal(`the plan sets ${name} to a text of several lines, which no Dockerfile can`, {
          hint: `Take ${name} out of railpack.json's variables: put it in a file of the source, or among the service's variables.`,
        });
}

/** What a reader must know, as far as it is used. */
const header = ({ exclude }: BuildPlan, body: string): string[] => [
  "# Made by `starform eject` from the build plan; from here on it is yours. Needs BuildKit.",
  `# Its .dockerignore: ${ejectedIgnores({ exclude }).join(" ")}`,
  ...(/^COPY --from=\S+ \S+\[.\] /m.test(body)
    ? ["# COPY of `name[s]` copies `names` where it is there, and nothing where it is not."]
    : []),
  ...(body.includes(secretsDir)
    ? [
        "# Variables of the build are its secrets: docker build --secret id=NAME,src=FILE for each, the FILE holding the value.",
        "# A secret that changed runs nothing again by itself: docker build --no-cache does.",
      ]
    : []),
];

/** What the stages start from is an argument, for whoever has other bases; by default it is what the plan names. */
const baseNames = { BUILDER: /\brailpack-builder\b/, RUNTIME: /\brailpack-runtime\b/ };

function basesOf({ steps, deploy }: BuildPlan): { name: string; image: string }[] {
  const images = [...steps.map(({ inputs }) => inputs[0]), deploy.base].flatMap((layer) =>
    layer && "image" in layer ? [layer.image] : [],
  );
  return Object.entries(baseNames).flatMap(([name, pattern]) => {
    const image = images.find((one) => pattern.test(one));
    return image === undefined ? [] : [{ name, image }];
  });
}

function startOf(plan: BuildPlan, layer: Layer | undefined): string {
  const image = layer ? imageOf(layer) : "scratch";
  const base = basesOf(plan).find((one) => one.image === image);
  return base ? `$${base.name}` : image;
}

/** Stage names may hold no colon. */
const stageName = (step: string): string => step.toLowerCase().replace(/[^a-z0-9_.-]+/g, "-");

function stageOf(plan: BuildPlan, step: Step): string {
  const [base, ...rest] = step.inputs;
  return [
    `FROM ${startOf(plan, base)} AS ${stageName(step.name)}`,
    "WORKDIR /app",
    ...environment(step.variables),
    ...rest.flatMap(copies),
    ...step.commands.flatMap((command) => instructions(plan, step, command)),
  ].join("\n");
}

function deployStage(plan: BuildPlan): string {
  const { deploy } = plan;
  const hasTools = deploy.inputs.some((layer) => layer.include?.includes("/mise/shims"));
  const paths = [...(hasTools ? ["/mise/shims"] : []), ...deploy.paths];
  return [
    `FROM ${startOf(plan, deploy.base)}`,
    "WORKDIR /app",
    ...deploy.inputs.flatMap(copies),
    ...environment(deploy.variables),
    ...(paths.length > 0 ? [pathBefore(paths.join(":"))] : []),
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

/** Quoted for ENV, where `$` would be expanded. */
const dockerWord = (value: string): string => (isPlainWord(value) ? value : `"${escaped(value)}"`);
const isPlainWord = (value: string): boolean => /^[A-Za-z0-9_./:@%+,=-]+$/.test(value);
const escaped = (value: string): string => value.replace(/[\\"$]/g, "\\$&");
const pathBefore = (path: string): string =>
  `ENV PATH=${isPlainWord(path) ? `${path}:$PATH` : `"${escaped(path)}:$PATH"`}`;

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
    return `COPY ${from}${jsonIfNeeded("local" in layer ? folder(at) : optional(at), folder(at))}`;
  });
}

/** What every build makes; the rest of what a plan copies from a step may not be there (no packages, no cache). */
const isAlwaysMade = (path: string): boolean =>
  /^\/app\/?$|^\/mise\/(shims|installs)$|\/mise(\/config\.toml)?$/.test(path);

/** COPY fails for a path that is not there, but not for a pattern that matches nothing. */
const optional = (path: string): string =>
  isAlwaysMade(path) ? folder(path) : path.replace(/([\p{L}\p{N}])$/u, "[$1]");

const absolute = (path: string): string =>
  path.startsWith("/") ? path : path === "." ? "/app" : `/app/${path}`;
const folder = (path: string): string => (path === "." ? "./" : path === "/app" ? "/app/" : path);
const jsonIfNeeded = (...paths: string[]): string => {
  // Docker looks for variables in them.
  const written = paths.map((path) => path.replaceAll("$", "\\$"));
  return written.some((path) => /[\s"]/.test(path)) ? JSON.stringify(written) : written.join(" ");
};

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
  return [pathBefore(command.path)];
}

const secretsDir = "/run/secrets";

/** One RUN with its caches, and its secrets as files that are read into the environment of this command alone. */
function run(plan: BuildPlan, step: Step, cmd: string): string {
  const caches = step.caches.flatMap((name) => {
    const cache = plan.caches[name];
    return cache ? [`--mount=type=cache,id=${name},target=${cache.directory},sharing=${cache.type}`] : [];
  });
  const secrets = (step.secrets.includes("*") ? plan.secrets : step.secrets).filter((name) =>
    /^[A-Za-z_]\w*$/.test(name),
  );
  const mounts = [...caches, ...secrets.map((name) => `--mount=type=secret,id=${name}`)];
  const lines = [...secrets.map(readSecret), cmd];
  // Docker joins the lines of a command and takes away those that begin with #; it reads a list as it is.
  const command = /[\r\n]|\\$/.test(cmd)
    ? JSON.stringify(["/bin/sh", "-c", lines.join("\n")])
    : lines.join(" && \\\n    ");
  return ["RUN", ...mounts.map((mount) => `${mount} \\\n   `), command].join(" ");
}

/** With the line breaks at its end, which `$(…)` takes away. One that the build was not given stays unset. */
const readSecret = (name: string): string =>
  `if [ -f ${secretsDir}/${name} ]; then ${name}="$(cat ${secretsDir}/${name}; printf x)"; export ${name}="\${${name}%x}"; fi`;

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
