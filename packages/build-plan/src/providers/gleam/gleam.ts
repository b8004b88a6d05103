import { exec, fromSource, fromStep } from "../../commands.ts";
import { addStep, runtimeToolsStep, startWith, toolsStep } from "../../plan-draft.ts";
import type { Provider } from "../../provider.ts";
import { chooseVersion } from "../../tool-version.ts";
import { toolPaths } from "../../tools-step.ts";

const shipment = "build/erlang-shipment";

export const gleam: Provider = {
  name: "gleam",
  label: "Gleam",
  looksFor: ["gleam.toml"],
  manifests: ["gleam.toml"],
  detects: ({ tree }) => tree.hasFile("gleam.toml"),
  startHint: () => "Set RAILPACK_START_CMD.",

  plan(draft) {
    const latest = { version: "latest", reason: "nothing in the source names a version" };
    const said = draft.tree.readToml("gleam.toml")?.["gleam"];
    chooseVersion(draft, {
      tool: "gleam",
      label: "Gleam",
      manifest: [
        typeof said === "string" ? { version: said, reason: `gleam.toml says gleam = "${said}"` } : undefined,
      ],
      fallback: latest,
      // A range says what is too old; what is newest fits it.
      resolve: (wanted) =>
        /^\s*v?(\d+(?:\.\d+){0,2})\s*$/.exec(wanted)?.[1] ?? (/>/.test(wanted) ? "latest" : undefined),
    });
    chooseVersion(draft, { tool: "erlang", label: "Erlang", files: [".erlang-version"], fallback: latest });
    draft.runtimeTools.add("erlang");
    const build = addStep(
      draft,
      "build",
      toolsStep,
      `because gleam export writes what Erlang runs to ${shipment}`,
    );
    build.inputs.push(fromSource());
    build.secrets = ["*"];
    build.commands.push(exec("gleam export erlang-shipment"));
    const included = draft.variables.isOn("GLEAM_INCLUDE_SOURCE") ? "." : shipment;
    draft.deploy.inputs.push(fromStep(runtimeToolsStep, toolPaths), fromStep("build", [included]));
    startWith(draft, `./${shipment}/entrypoint.sh run`, "because gleam export writes that script");
  },
};
