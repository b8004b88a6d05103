import type { Step } from "../../build-plan.ts";
import { copy, exec, fromSource, fromStep } from "../../commands.ts";
import {
  addStep,
  decide,
  needPackages,
  type PlanDraft,
  startWith,
  toolsStep,
  versionsMayChange,
} from "../../plan-draft.ts";
import { PlanRefusal } from "../../plan-refusal.ts";
import type { Provider } from "../../provider.ts";
import { chooseElixir } from "./elixir-version.ts";
import { installAssetPackages } from "./phoenix-assets.ts";

const environment = {
  ELIXIR_ERL_OPTIONS: "+fnu",
  LANG: "en_US.UTF-8",
  LANGUAGE: "en_US:en",
  LC_ALL: "en_US.UTF-8",
  MIX_ARCHIVES: "/root/.mix/archives",
  MIX_ENV: "prod",
  MIX_HOME: "/root/.mix",
};

const startHint = "Name the application in mix.exs: [app: :my_app, …].";

export const elixir: Provider = {
  name: "elixir",
  label: "Elixir",
  looksFor: ["mix.exs"],
  manifests: ["mix.exs"],
  detects: ({ tree }) => tree.hasFile("mix.exs"),
  startHint: () => startHint,

  plan(draft) {
    const mix = draft.tree.read("mix.exs")!;
    const app = /\bapp:\s*:(\w+)/.exec(mix)?.[1];
    if (!app)
      throw new PlanRefusal("mix.exs names no application", {
        hint: startHint,
        lookedFor: ["app: :name in mix.exs"],
      });
    Object.assign(draft.toolVariables, environment);
    chooseElixir(draft);
    install(draft, mix);
    const assets = installAssetPackages(draft);
    const build = addStep(
      draft,
      "build",
      "install",
      "because the release is made of the code, after its dependencies",
    );
    if (assets) build.inputs.push(fromStep(assets.name, ["/app/assets/node_modules"]));
    build.inputs.push(fromSource());
    build.secrets = ["*"];
    Object.assign(build.variables, environment);
    build.commands.push(exec("mix compile"), ...tasks(draft, mix), exec("mix release --overwrite"));
    draft.exclude.push("_build", "deps");
    Object.assign(draft.deploy.variables, environment);
    needPackages(
      draft,
      "run time",
      ["libstdc++6", "libncurses6", "openssl"],
      "because the Erlang in the release is linked against them",
    );
    draft.deploy.inputs.push(fromStep("build", ["_build/prod/rel"]));
    startWith(draft, `./_build/prod/rel/${app}/bin/${app} start`, "because mix.exs names the application so");
  },
};

function install(draft: PlanDraft, mix: string): Step {
  const { tree, variables } = draft;
  const step = addStep(
    draft,
    "install",
    toolsStep,
    "because dependencies are installed before the code is there, so that a change of code installs nothing again",
  );
  step.secrets = variables.namesStartingWith(["MIX", "ERL", "ELIXIR", "OTP", "HEX"]);
  Object.assign(step.variables, environment);
  const configs = ["config/config.exs", "config/prod.exs"].filter(tree.hasFile);
  if (!tree.hasFile("mix.lock")) decide(draft, versionsMayChange, "because there is no mix.lock; commit one");
  step.commands.push(
    exec("mkdir -p config deps _build"),
    exec("mix local.hex --force"),
    exec("mix local.rebar --force"),
    ...["mix.exs", "mix.lock"].filter(tree.hasFile).map((file) => copy(file)),
    exec("mix deps.get --only prod"),
    ...configs.map((file) => copy(file)),
    exec("mix deps.compile"),
  );
  if (mix.includes("assets.setup")) {
    step.commands.push(exec("mix assets.setup"));
    decide(draft, "run mix assets.setup", "because mix.exs has that task");
  }
  return step;
}

/** Tasks that Phoenix and Ecto projects name in mix.exs for their deploys. */
const tasks = (draft: PlanDraft, mix: string) =>
  ["assets.deploy", "ecto.deploy"]
    .filter((task) => mix.includes(`"${task}"`) || mix.includes(`${task}:`))
    .map((task) => {
      decide(draft, `run mix ${task}`, "because mix.exs has that task");
      return exec(`mix ${task}`);
    });
