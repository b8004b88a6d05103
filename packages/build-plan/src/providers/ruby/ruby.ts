import type { Step } from "../../build-plan.ts";
import { addPath, copy, exec, fromSource, fromStep } from "../../commands.ts";
import { addStep, decide, needPackages, type PlanDraft, startWith, toolsStep } from "../../plan-draft.ts";
import type { Provider } from "../../provider.ts";
import { chooseVersion } from "../../tool-version.ts";
import { toolPaths } from "../../tools-step.ts";
import { buildNodeBeside } from "../node/node-beside.ts";
import { defaultNode, resolveNode } from "../node/node-version.ts";
import { bundlerOf, dependsOnGem, localGems } from "./gemfile.ts";
import { isRails, rubyStart } from "./ruby-start.ts";
import { chooseRuby } from "./ruby-version.ts";

const bundle = "/usr/local/bundle";
const environment = {
  BUNDLE_GEMFILE: "/app/Gemfile",
  GEM_HOME: bundle,
  GEM_PATH: bundle,
  LD_PRELOAD: "libjemalloc.so.2",
  MALLOC_ARENA_MAX: "2",
};

export const ruby: Provider = {
  name: "ruby",
  label: "Ruby",
  looksFor: ["Gemfile"],
  manifests: ["Gemfile"],
  detects: ({ tree }) => tree.hasFile("Gemfile"),
  startHint: () => "Add a config.ru, or a Procfile with `web: bundle exec <command>`.",

  plan(draft) {
    chooseRuby(draft);
    systemPackages(draft);
    install(draft);
    const assets = buildNodeBeside(draft, "install", "build:node");
    if (!assets && dependsOnGem(draft.tree, "execjs")) {
      chooseVersion(draft, {
        tool: "node",
        label: "Node",
        fallback: defaultNode("the gem execjs runs JavaScript with it"),
        resolve: resolveNode,
      });
    }
    const build = buildRuby(draft, assets ? assets.build.name : "install");
    Object.assign(draft.deploy.variables, environment);
    draft.deploy.paths.push(`${bundle}/bin`);
    draft.deploy.inputs.push(fromStep(toolsStep, toolPaths), fromStep("install", [bundle]));
    if (assets) draft.deploy.inputs.push(fromStep(assets.prune.name, ["/app/node_modules"]));
    draft.deploy.inputs.push(fromStep(build.name, ["."], assets ? ["node_modules", ".yarn"] : undefined));
    const start = rubyStart(draft.tree);
    if (!start) return;
    startWith(draft, start.command, `because ${start.reason}`);
  },
};

function install(draft: PlanDraft): Step {
  const { tree, variables } = draft;
  const step = addStep(
    draft,
    "install",
    toolsStep,
    "because dependencies are installed before the code is there, so that a change of code installs nothing again",
  );
  step.secrets = variables.namesStartingWith(["RUBY", "GEM", "BUNDLE"]);
  Object.assign(step.variables, environment);
  step.commands.push(
    addPath(`${bundle}/bin`),
    exec(`gem install -N ${bundlerOf(tree)}`),
    ...["Gemfile", "Gemfile.lock", ".ruby-version", ...localGems(tree)]
      .filter((path) => tree.hasFile(path) || tree.hasDirectory(path))
      .map((path) => copy(path)),
    exec("bundle install"),
  );
  if (dependsOnGem(tree, "bootsnap")) {
    step.commands.push(exec("bundle exec bootsnap precompile --gemfile"));
    decide(draft, "precompile with bootsnap", "because the gem bootsnap is there");
  }
  decide(draft, `install gems with ${bundlerOf(tree)}`, "because there is a Gemfile", "install");
  return step;
}

function buildRuby(draft: PlanDraft, from: string): Step {
  const { tree, variables } = draft;
  const step = addStep(draft, "build", from, "because the code comes after its gems");
  step.inputs.push(fromSource());
  step.secrets = variables.namesStartingWith([
    "RAILS",
    "BUNDLE",
    "BOOTSNAP",
    "SPROCKETS",
    "WEBPACKER",
    "ASSET",
    "DISABLE_SPRING",
    "SECRET_KEY_BASE",
  ]);
  Object.assign(step.variables, environment);
  const hasPipeline = dependsOnGem(tree, "sprockets") || dependsOnGem(tree, "propshaft");
  if (isRails(tree) && hasPipeline) {
    // Compiling assets reads no secret, but Rails refuses to load without one.
    step.variables["SECRET_KEY_BASE_DUMMY"] = "1";
    step.commands.push(exec("bundle exec rake assets:precompile"));
    decide(draft, "compile assets", "because this is a Rails app with an asset pipeline");
  }
  if (isRails(tree) && dependsOnGem(tree, "bootsnap"))
    step.commands.push(exec("bundle exec bootsnap precompile app/ lib/"));
  return step;
}

/** Debian packages that gems compile against and run with. */
const gemNeeds: Record<string, string[]> = {
  pg: ["libpq-dev"],
  mysql2: ["default-libmysqlclient-dev"],
  mini_magick: ["imagemagick"],
  rmagick: ["libmagickwand-dev"],
  "ruby-vips": ["libvips-dev"],
  charlock_holmes: ["libicu-dev", "libxml2-dev", "libxslt-dev"],
};

function systemPackages(draft: PlanDraft): void {
  needPackages(draft, "build", ["libyaml-dev", "libjemalloc-dev"], "because Ruby is compiled against them");
  needPackages(
    draft,
    "run time",
    ["libyaml-dev", "libjemalloc2"],
    "because Ruby runs with them, and jemalloc takes less memory",
  );
  // "3" is the newest of its line.
  const [major = 0, minor = Infinity] = (draft.versions["ruby"]?.version ?? "").split(".").map(Number);
  if (major > 3 || (major === 3 && minor > 1))
    needPackages(
      draft,
      "build",
      ["cargo", "rustc"],
      "because Ruby's own compiler is written in Rust from 3.2 on",
    );
  for (const [gem, packages] of Object.entries(gemNeeds)) {
    if (!dependsOnGem(draft.tree, gem)) continue;
    needPackages(draft, "build", packages, `because the gem ${gem} is compiled against it`);
    needPackages(draft, "run time", packages, `because the gem ${gem} needs it`);
  }
}
