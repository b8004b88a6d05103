import type { Step } from "../../build-plan.ts";
import { copy, exec } from "../../commands.ts";
import { addCache, addStep, decide, type PlanDraft, toolsStep } from "../../plan-draft.ts";
import { chooseVersion } from "../../tool-version.ts";
import { defaultNode, resolveNode } from "../node/node-version.ts";

/** Phoenix keeps its package.json in assets/: installs those packages where its bundler looks for them. */
export function installAssetPackages(draft: PlanDraft): Step | undefined {
  const { tree } = draft;
  if (!tree.hasFile("assets/package.json")) return undefined;
  chooseVersion(draft, {
    tool: "node",
    label: "Node",
    variable: "NODE_VERSION",
    files: [".nvmrc", ".node-version", "assets/.nvmrc"],
    fallback: defaultNode("assets/package.json needs it"),
    resolve: resolveNode,
  });
  decide(draft, "install the packages of assets", "because there is an assets/package.json");
  const step = addStep(draft, "install:node", toolsStep, "because there is an assets/package.json");
  addCache(draft, step, "npm-install", "/root/.npm");
  const isLocked = tree.hasFile("assets/package-lock.json");
  step.commands.push(
    ...["assets/package.json", "assets/package-lock.json", "assets/.npmrc"]
      .filter(tree.hasFile)
      .map((file) => copy(file)),
    exec(`npm --prefix assets ${isLocked ? "ci" : "install"}`),
  );
  return step;
}
