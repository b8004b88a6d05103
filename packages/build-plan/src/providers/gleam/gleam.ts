import { exec, fromSource, fromStep } from "../../commands.ts";
import { addStep, runtimeToolsStep, toolsStep } from "../../plan-draft.ts";
import type { Provider } from "../../provider.ts";
import { chooseVersion } from "../../tool-version.ts";
import { toolPaths } from "../../tools-step.ts";

const shipment = "build/erlang-shipment";

export const gleam: Provider = {
  name: "gleam",
  label: "Gleam",
  looksFor: ["gleam.toml"],
  detects: ({ tree }) => tree.hasFile("gleam.toml"),
  startHint: "Set RAILPACK_START_CMD.",

  plan(draft) {
    const latest = { version: "latest", reason: "nothing in the source names a version" };
    chooseVersion(draft, { tool: "gleam", label: "Gleam", fallback: latest });
    chooseVersion(draft, { tool: "erlang", label: "Erlang", files: [".erlang-version"], fallback: latest });
    draft.runtimeTools.add("erlang");
    const build = addStep(draft, "build", toolsStep);
    build.inputs.push(fromSource());
    build.secrets = ["*"];
    build.commands.push(exec("gleam export erlang-shipment"));
    const included = draft.variables.isOn("GLEAM_INCLUDE_SOURCE") ? "." : shipment;
    draft.deploy.inputs.push(fromStep(runtimeToolsStep, toolPaths), fromStep("build", [included]));
    draft.deploy.startCommand = `./${shipment}/entrypoint.sh run`;
  },
};
