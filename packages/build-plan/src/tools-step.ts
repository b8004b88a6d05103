import type { Layer, Step } from "./build-plan.ts";
import { addPath, copy, exec, fromStep, shell, writeAsset } from "./commands.ts";
import { addCache, builderImage, decide, type PlanDraft, runtimeToolsStep, toolsStep } from "./plan-draft.ts";
import type { ToolVersion } from "./plan-info.ts";

const config = "generated-mise-toml";

/** What of the tools' step a running app needs. */
export const toolPaths = [
  "/mise/shims",
  "/mise/installs",
  "/usr/local/bin/mise",
  "/etc/mise/config.toml",
  "/root/.local/state/mise",
];

/**
 * The steps before all others: packages of the system that the build needs, then the tools, by mise as Railpack has it.
 * Executors that bring tools in another way skip the steps whose name starts with `packages:`.
 */
export function toolsSteps(draft: PlanDraft): Step[] {
  const apt = [...draft.buildAptPackages].toSorted();
  const before =
    apt.length > 0
      ? [
          aptStep(draft, "packages:apt:build", {
            image: builderImage,
            packages: apt,
            reason: "because the build needs packages of the system",
          }),
        ]
      : [];
  const base: Layer = before.length > 0 ? fromStep("packages:apt:build") : { image: builderImage };
  const tools = Object.entries(draft.versions).filter(([tool]) => !draft.installedElsewhere.has(tool));
  const atRunTime = tools.filter(([tool]) => draft.runtimeTools.has(tool));
  const runtime =
    atRunTime.length > 0 ? [miseStep(draft, runtimeToolsStep, { image: builderImage }, atRunTime)] : [];
  return [...before, miseStep(draft, toolsStep, base, tools), ...runtime];
}

function miseStep(
  draft: PlanDraft,
  name: string,
  base: Layer,
  tools: readonly [string, ToolVersion][],
): Step {
  const step: Step = { ...empty(name), inputs: [base] };
  decide(
    draft,
    `step ${name}`,
    tools.length === 0
      ? "because the build begins with what this image brings"
      : `because it installs ${tools.map(([tool]) => tool).join(", ")}${name === toolsStep ? "" : ", which the running app needs of the tools"}`,
  );
  if (tools.length === 0) return step;
  const sorted = tools.toSorted(([a], [b]) => (a < b ? -1 : 1));
  step.variables = {
    MISE_CACHE_DIR: "/mise/cache",
    MISE_CONFIG_DIR: "/mise",
    MISE_DATA_DIR: "/mise",
    MISE_INSTALLS_DIR: "/mise/installs",
    MISE_SHIMS_DIR: "/mise/shims",
    ...draft.toolVariables,
  };
  step.assets = {
    [config]: miseToml(
      sorted.map(([tool, { version }]) => [tool, version]),
      draft.miseSettings,
    ),
  };
  step.commands = [
    addPath("/mise/shims"),
    ...versionFiles.filter((file) => draft.tree.hasFile(file)).map((file) => copy(file)),
    writeAsset("/etc/mise/config.toml", config, "create mise config"),
    exec("mise install", `install mise packages: ${sorted.map(([tool]) => tool).join(", ")}`),
  ];
  return step;
}

/** A step that installs Debian packages on an image. */
export function aptStep(
  draft: PlanDraft,
  name: string,
  { image, packages, reason }: { image: string; packages: readonly string[]; reason: string },
): Step {
  decide(draft, `step ${name}`, `${reason}: ${packages.join(", ")}, on ${image}`);
  const step: Step = { ...empty(name), inputs: [{ image }] };
  step.commands = [
    shell(
      `apt-get update && apt-get install -y ${packages.join(" ")}`,
      `install apt packages: ${packages.join(" ")}`,
    ),
  ];
  addCache(draft, step, "apt", "/var/cache/apt", "locked");
  addCache(draft, step, "apt-lists", "/var/lib/apt/lists", "locked");
  return step;
}

const empty = (name: string): Step => ({
  name,
  inputs: [],
  commands: [],
  secrets: [],
  assets: {},
  variables: {},
  caches: [],
});

/** Files mise itself reads, copied so that a change of version rebuilds this step and nothing else does. */
const versionFiles = [
  "mise.local.toml",
  ".mise.local.toml",
  "mise.toml",
  ".mise.toml",
  "mise/config.toml",
  ".mise/config.toml",
  ".config/mise.toml",
  ".config/mise/config.toml",
].concat(
  [
    ".tool-versions",
    ".python-version",
    ".node-version",
    ".nvmrc",
    ".ruby-version",
    ".go-version",
    ".java-version",
    ".sdkmanrc",
  ],
  [".exenv-version", ".deno-version", "rust-toolchain.toml", ".bun-version", "global.json", "mise.lock"],
);

function miseToml(
  tools: readonly (readonly [string, string])[],
  settings: Readonly<Record<string, string | boolean>>,
): string {
  const all = {
    ...defaults,
    ...Object.fromEntries(Object.entries(settings).map(([key, value]) => [key, JSON.stringify(value)])),
  };
  const lines = Object.entries(all)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key} = ${value}`);
  return [
    "[tools]",
    ...tools.map(([tool, version]) => `${tomlKey(tool)} = ${JSON.stringify(version)}`),
    "",
    "[settings]",
    ...lines,
    "",
  ].join("\n");
}

const tomlKey = (name: string): string => (/^[A-Za-z0-9_-]+$/.test(name) ? name : JSON.stringify(name));

const defaults: Record<string, string> = {
  "node.verify": "false",
  paranoid: "true",
  trusted_config_paths: '["/app"]',
  minimum_release_age: '"14d"',
};
