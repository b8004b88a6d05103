import { exec, fromSource, fromStep, word } from "../../commands.ts";
import { addStep, type PlanDraft, startWith, toolsStep } from "../../plan-draft.ts";
import type { Provider } from "../../provider.ts";
import { chooseVersion } from "../../tool-version.ts";
import { toolPaths } from "../../tools-step.ts";

export const deno: Provider = {
  name: "deno",
  label: "Deno",
  looksFor: ["deno.json", "deno.jsonc"],
  manifests: ["deno.json", "deno.jsonc"],
  detects: ({ tree }) => tree.firstFile("deno.json", "deno.jsonc") !== undefined,
  startHint: () => "Add a main.ts, or a start task to deno.json.",

  plan(draft) {
    chooseVersion(draft, {
      tool: "deno",
      label: "Deno",
      variable: "DENO_VERSION",
      files: [".deno-version"],
      fallback: { version: "2", reason: "nothing in the source names a version" },
    });
    const build = addStep(
      draft,
      "build",
      toolsStep,
      "because what the code imports is fetched with it, not at every start",
    );
    build.inputs.push(fromSource());
    build.secrets = ["*"];
    const start = startOf(draft);
    if (start) {
      build.commands.push(exec(start.cache));
      startWith(draft, start.command, `because ${start.reason}`);
    }
    draft.deploy.inputs.push(fromStep(toolsStep, toolPaths), fromStep("build", [".", "/root/.cache"]));
  },
};

function startOf({ tree }: PlanDraft): { command: string; cache: string; reason: string } | undefined {
  const config = tree.readJson(tree.firstFile("deno.json", "deno.jsonc")!) as {
    tasks?: Record<string, unknown>;
  } | null;
  const main =
    tree.firstFile("main.ts", "main.js", "main.mjs", "main.mts") ??
    tree.find("**/*.{ts,js,mjs,mts}").find((file) => !/\.(test|d)\.|_test\./.test(file));
  const cache = main === undefined ? "deno install" : `deno cache ${word(main)}`;
  if (config?.tasks?.["start"] !== undefined)
    return { command: "deno task start", cache, reason: "deno.json has a start task" };
  return main === undefined
    ? undefined
    : { command: `deno run --allow-all ${word(main)}`, cache, reason: `there is a ${main}` };
}
