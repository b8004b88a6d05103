import { exec, fromStep, word } from "../../commands.ts";
import { addPlainBuild, decide, needPackages, type PlanDraft, startWith } from "../../plan-draft.ts";
import type { Provider } from "../../provider.ts";

export const shell: Provider = {
  name: "shell",
  label: "a shell script",
  looksFor: ["start.sh"],
  manifests: [],
  detects: (draft) => draft.tree.hasFile(scriptOf(draft)),
  startHint: () => "Add a start.sh.",

  plan(draft) {
    const script = scriptOf(draft);
    const interpreter = interpreterOf(draft, script);
    const build = addPlainBuild(draft, `because ${script} is made executable`);
    build.commands.push(exec(`chmod +x ${word(script)}`));
    draft.deploy.inputs.push(fromStep("build", ["."]));
    startWith(draft, `${interpreter} ${word(script)}`, `because there is a ${script}`);
  },
};

const scriptOf = ({ variables }: Pick<PlanDraft, "variables">): string =>
  variables.get("SHELL_SCRIPT") ?? "start.sh";

const available: Record<string, string> = {
  bash: "bash",
  zsh: "zsh",
  sh: "sh",
  dash: "sh",
  ksh: "bash",
  mksh: "bash",
  fish: "bash",
};

function interpreterOf(draft: PlanDraft, script: string): string {
  const firstLine = draft.tree.readStart(script, 256)?.split("\n", 1)[0] ?? "";
  const words = /^#!(.*)/.exec(firstLine)?.[1]?.trim().split(/\s+/) ?? [];
  const programs = words
    .filter((one) => !one.startsWith("-"))
    .map((one) => one.slice(one.lastIndexOf("/") + 1));
  const wanted = programs.find((name) => name !== "env");
  const interpreter = available[wanted ?? "sh"] ?? "sh";
  if (interpreter === "zsh") needPackages(draft, "run time", ["zsh"], `because ${script} runs with it`);
  decide(
    draft,
    `run ${script} with ${interpreter}`,
    wanted ? `because its first line names ${wanted}` : "because its first line names no shell",
  );
  return interpreter;
}
