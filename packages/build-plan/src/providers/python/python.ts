import { fromSource, fromStep } from "../../commands.ts";
import { addStep, decide, needPackages, type PlanDraft, startWith, toolsStep } from "../../plan-draft.ts";
import type { Provider } from "../../provider.ts";
import { toolPaths } from "../../tools-step.ts";
import { frameworkOf, pythonStart, type PythonStart } from "./python-frameworks.ts";
import { installPython, pythonEnvironment } from "./python-install.ts";
import { innerStart } from "./python-inner-mains.ts";
import { mainFiles } from "./python-main-files.ts";
import { choosePython } from "./python-version.ts";
import { systemPackages } from "./python-system.ts";

const manifests = ["requirements.txt", "pyproject.toml", "Pipfile"];

export const python: Provider = {
  name: "python",
  label: "Python",
  looksFor: [...manifests, ...mainFiles],
  manifests,
  detects: ({ tree }) => tree.firstFile(...manifests, ...mainFiles, "manage.py") !== undefined,
  startHint({ tree }) {
    const inner = innerStart(tree);
    return inner === undefined
      ? "Add a main.py or app.py, or a Procfile with `web: <command>`."
      : `If the app starts with ${inner.file}, give the start command \`${inner.command}\` in the service's settings, in starform.json, or in a Procfile.`;
  },

  plan(draft) {
    choosePython(draft);
    const needs = systemPackages(draft.tree);
    const reason = `because ${needs.reasons.join(", ")}`;
    needPackages(draft, "build", needs.build, reason);
    needPackages(draft, "run time", needs.runtime, reason);

    const found = pythonStart(draft);
    const isStartedOtherwise = draft.config.deploy?.startCommand || draft.tree.hasFile("Procfile");
    const installed = installPython(draft, isStartedOtherwise ? undefined : found?.lacking);
    const build = addStep(draft, "build", "install", "because the code comes after its dependencies");
    build.inputs.push(fromSource());
    build.commands.push(...installed.buildCommands);
    build.secrets = ["*"];
    Object.assign(draft.deploy.variables, pythonEnvironment);
    if (installed.outputs.length > 0) draft.deploy.paths.push("/app/.venv/bin");
    draft.exclude.push(".venv", "**/__pycache__");
    start(draft, found);
    draft.deploy.inputs.push(fromStep(toolsStep, toolPaths));
    if (installed.outputs.length > 0) draft.deploy.inputs.push(fromStep("build", installed.outputs));
    draft.deploy.inputs.push(fromStep("build", ["."], [".venv"]));
  },
};

function start(draft: PlanDraft, found: PythonStart | undefined): void {
  const framework = frameworkOf(draft.tree);
  if (framework) decide(draft, `this is a ${framework} app`, "because the manifest depends on it");
  if (!found) return;
  startWith(draft, found.command, `because ${found.reason}`);
}
