import type { Step } from "../../build-plan.ts";
import { copy, fromSource } from "../../commands.ts";
import { decide, type PlanDraft } from "../../plan-draft.ts";
import type { NodeApp } from "./node-app.ts";

const manifestNames = [
  "package.json",
  "package.json5",
  "package-lock.json",
  "npm-shrinkwrap.json",
  "pnpm-workspace.yaml",
  "pnpm-lock.yaml",
].concat([
  "yarn.lock",
  ".yarnrc",
  ".yarnrc.yml",
  "bun.lock",
  "bun.lockb",
  "bunfig.toml",
  ".npmrc",
  ".pnpmfile.cjs",
  ".node-version",
  ".nvmrc",
]);
const manifestFolders = [".yarn", "patches", ".pnpm-patches", "prisma"];

/**
 * Only what the install reads, so that a change of code installs nothing again. The whole source where installing
 * runs the source's own code (install scripts) or takes packages from folders of it.
 */
export function copyManifests(draft: PlanDraft, { workspace }: NodeApp, step: Step): void {
  const scripts = ["preinstall", "install", "postinstall", "prepare"];
  const script = workspace.all.flatMap(({ manifest }) => scripts.filter((name) => manifest.scripts[name]))[0];
  const isLocal = workspace.all.some(({ manifest }) =>
    [...Object.values(manifest.dependencies), ...Object.values(manifest.devDependencies)].some((version) =>
      /^(file|link|portal):/.test(version),
    ),
  );
  if (script !== undefined || isLocal) {
    step.inputs.push(fromSource());
    step.secrets = ["*"];
    decide(
      draft,
      "install on the whole source",
      script ? `because package.json has a ${script} script` : "because a dependency is a folder of it",
    );
    return;
  }
  const last = (path: string) => path.slice(path.lastIndexOf("/") + 1);
  const files = draft.tree.files.filter(
    (file) => manifestNames.includes(last(file)) || last(file).startsWith(".pnp."),
  );
  const folders = draft.tree.directories.filter((folder) => manifestFolders.includes(last(folder)));
  const custom = draft.variables
    .list("NODE_INSTALL_PATTERNS")
    .flatMap((pattern) => draft.tree.find(`**/${pattern}`));
  const isInside = (file: string) => folders.some((folder) => file.startsWith(`${folder}/`));
  step.commands.push(
    ...[...new Set([...files.filter((file) => !isInside(file)), ...folders, ...custom])]
      .toSorted()
      .map((path) => copy(path)),
  );
}
