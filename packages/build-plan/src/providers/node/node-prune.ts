import { exec, shell } from "../../commands.ts";
import type { Command, Step } from "../../build-plan.ts";
import { addStep, type PlanDraft } from "../../plan-draft.ts";
import type { NodeApp } from "./node-app.ts";
import { addInstallCache, withoutDevelopment } from "./node-install.ts";
import type { PackageManager } from "./package-manager.ts";

/** A step whose node_modules holds only what the app runs on. */
export function pruneNode(draft: PlanDraft, app: NodeApp, [name, from] = ["prune", "install"]): Step {
  const { manager } = app;
  const step = addStep(draft, name!, from!, "because the image gets only the packages that the app runs on");
  Object.assign(step.variables, withoutDevelopment(draft, app));
  addInstallCache(draft, step, manager);
  const custom = draft.variables.get("NODE_PRUNE_CMD");
  step.commands.push(custom ? exec(custom) : pruneCommand(manager));
  return step;
}

function pruneCommand({ name, version }: PackageManager): Command {
  const [major = 0, minor = 0, patch = 0] = (version ?? "").split(".").map(Number);
  const isOldPnpm =
    version !== undefined &&
    (major < 8 || (major === 8 && (minor < 15 || (minor === 15 && patch < 6)))) &&
    major > 0;
  if (name === "pnpm") return exec(`pnpm prune --prod${isOldPnpm ? "" : " --ignore-scripts"}`);
  if (name === "bun") return shell("rm -rf node_modules && bun install --production --ignore-scripts");
  if (name === "yarn1") return exec("yarn install --production=true");
  if (name === "yarnberry")
    return exec(major === 3 ? "yarn install --check-cache" : "yarn workspaces focus --production --all");
  return exec("npm prune --omit=dev --ignore-scripts");
}
