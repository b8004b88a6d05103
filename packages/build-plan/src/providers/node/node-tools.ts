import type { PlanDraft } from "../../plan-draft.ts";
import { mainProcess, readProcfile } from "../../procfile.ts";
import { chooseVersion } from "../../tool-version.ts";
import { pickLine } from "../../version-range.ts";
import type { NodeApp } from "./node-app.ts";
import { chooseNode } from "./node-version.ts";
import { addToolPackages } from "./node-system.ts";
import { managerLines } from "./package-manager.ts";

/** Node itself, bun, and the package manager: whatever this source is installed, built and run with. */
export function chooseNodeTools(draft: PlanDraft, app: NodeApp): void {
  chooseRuntimes(draft, app);
  chooseManager(draft, app);
  addToolPackages(draft, app);
}

function chooseRuntimes(draft: PlanDraft, { manager, manifest }: NodeApp): void {
  const start = draft.config.deploy?.startCommand ?? mainProcess(readProcfile(draft.tree))?.command ?? "";
  const scripts = [...Object.values(manifest.scripts), start];
  const usesBun = manager.program === "bun" || scripts.some((script) => /(^|[\s;&|])bunx?\s/.test(script));
  // Packages take Node for granted even where bun runs them, so only an app of bun's own without any goes without.
  const isBunAlone =
    manager.program === "bun" &&
    Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }).length === 0;
  if (!isBunAlone || scripts.some((script) => /\bnode\b/.test(script))) chooseNode(draft, manifest);
  if (usesBun) {
    const wanted = manager.program === "bun" ? manager : undefined;
    chooseVersion(draft, {
      tool: "bun",
      label: "bun",
      variable: "BUN_VERSION",
      files: [".bun-version"],
      manifest: [wanted?.version ? { version: wanted.version, reason: wanted.versionReason } : undefined],
      fallback: { version: "latest", reason: "nothing in the source names a version" },
      resolve: (text) => lineOf(text, ["1"]),
    });
  }
}

function chooseManager(draft: PlanDraft, { manager }: NodeApp): void {
  if (manager.program === "npm" || manager.program === "bun") return;
  const version = manager.version ?? "latest";
  chooseVersion(draft, {
    tool: manager.program,
    label: manager.program,
    manifest: manager.isCorepack ? [] : [{ version, reason: manager.versionReason }],
    fallback: { version, reason: manager.versionReason },
    resolve: (text) => lineOf(text, managerLines(manager, draft.tree)),
  });
  if (manager.isCorepack) draft.installedElsewhere.add(manager.program);
  if (manager.isCorepack) draft.miseSettings["node.corepack"] = true;
}

/** What installs these tools knows versions, lines of them and names ("latest"), and no ranges. */
const lineOf = (text: string, lines: readonly string[]): string | undefined =>
  /^[a-z]+$/.test(text.trim()) ? text.trim() : pickLine(text, lines);
