import { fromSource, fromStep } from "../../commands.ts";
import { addStep, decide, type PlanDraft, startWith, toolsStep } from "../../plan-draft.ts";
import { PlanRefusal } from "../../plan-refusal.ts";
import type { Provider } from "../../provider.ts";
import { carryStaticServer, serveCommand } from "../../static-server/carry-static-server.ts";
import { chooseVersion } from "../../tool-version.ts";
import { toolPaths } from "../../tools-step.ts";
import { defaultNode } from "../node/node-version.ts";

export const staticfile: Provider = {
  name: "staticfile",
  label: "static files",
  looksFor: ["index.html", "public/", "Staticfile"],
  manifests: ["Staticfile"],
  detects: (draft) => staticRoot(draft) !== undefined,
  startHint: () => "Add an index.html.",

  plan(draft) {
    const root = staticRoot(draft)!;
    const isSpa = indexFallback(draft) ?? false;
    decide(draft, `serve the files in ${root.directory}`, `because ${root.reason}`);
    chooseVersion(draft, {
      tool: "node",
      label: "Node",
      fallback: defaultNode("the static file server runs on it"),
    });
    const build = addStep(draft, "build", toolsStep, "because the server is put beside the files");
    build.inputs.push(fromSource());
    build.secrets = ["*"];
    carryStaticServer(build);
    draft.deploy.inputs.push(fromStep(toolsStep, toolPaths), fromStep("build", ["."]));
    startWith(
      draft,
      serveCommand(root.directory, { spa: isSpa }),
      `because ${root.reason}, which the planner's server serves`,
    );
  },
};

function staticRoot({
  tree,
  variables,
}: Pick<PlanDraft, "tree" | "variables">): { directory: string; reason: string } | undefined {
  const set = variables.get("STATIC_FILE_ROOT");
  if (set) return { directory: inside(set), reason: `RAILPACK_STATIC_FILE_ROOT says ${set}` };
  const configured = staticfileConfig({ tree })?.root;
  if (typeof configured === "string" && configured.trim() !== "") {
    return { directory: inside(configured.trim()), reason: `Staticfile says root: ${configured.trim()}` };
  }
  if (tree.hasDirectory("public")) return { directory: "public", reason: "there is a public folder" };
  return tree.hasFile("index.html") ? { directory: ".", reason: "there is an index.html" } : undefined;
}

/** Whether unknown paths get index.html; undefined when the Staticfile does not say. */
export const indexFallback = ({ tree }: Pick<PlanDraft, "tree">): boolean | undefined => {
  const value = staticfileConfig({ tree })?.index_fallback;
  return typeof value === "boolean" ? value : undefined;
};

function staticfileConfig({
  tree,
}: Pick<PlanDraft, "tree">): { root?: unknown; index_fallback?: unknown } | undefined {
  const config = tree.readYaml("Staticfile");
  return typeof config === "object" && config !== null ? config : undefined;
}

function inside(directory: string): string {
  if (!directory.startsWith("/") && !directory.split("/").includes("..")) return directory;
  throw new PlanRefusal(`the static files' folder ${directory} is outside of the source`, {
    hint: "Name a folder inside the source, such as public or dist.",
  });
}
