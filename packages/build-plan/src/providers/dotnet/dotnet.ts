import { posix } from "node:path";
import type { Step } from "../../build-plan.ts";
import { copy, exec, fromSource, fromStep, word } from "../../commands.ts";
import {
  addCache,
  addStep,
  decide,
  needPackages,
  type PlanDraft,
  startWith,
  toolsStep,
} from "../../plan-draft.ts";
import type { ToolVersion } from "../../plan-info.ts";
import type { Provider } from "../../provider.ts";
import { chooseVersion } from "../../tool-version.ts";
import { projectOf, refuseOutsideReferences, textOf } from "./dotnet-project.ts";

const defaultDotnet = "8.0";

export const dotnet: Provider = {
  name: "dotnet",
  label: ".NET",
  looksFor: ["*.csproj", "*.fsproj"],
  manifests: ["*.csproj", "*.fsproj"],
  detects: (draft) => projectOf(draft) !== undefined,
  startHint: () => "Make the project an executable: <OutputType>Exe</OutputType>.",

  plan(draft) {
    const project = projectOf(draft)!;
    refuseOutsideReferences(draft.tree, project, draft.rootDirectory);
    const version = chooseDotnet(draft, project);
    const environment = {
      ASPNETCORE_ENVIRONMENT: "Production",
      ASPNETCORE_CONTENTROOT: "/app/out",
      DOTNET_CLI_TELEMETRY_OPTOUT: "1",
      DOTNET_ROOT: `/mise/installs/dotnet/${version}`,
    };
    restore(draft, project, environment);
    const build = addStep(
      draft,
      "build",
      "install",
      `because dotnet publish makes the program of ${project}`,
    );
    build.inputs.push(fromSource());
    build.secrets = ["*"];
    Object.assign(build.variables, environment);
    addCache(draft, build, "nuget", "/root/.nuget/packages");
    build.commands.push(exec(`dotnet publish ${word(project)} --no-restore -c Release -o out`));
    draft.exclude.push("**/bin", "**/obj");
    needPackages(draft, "run time", ["libicu-dev"], "because .NET needs it for cultures and time zones");
    Object.assign(draft.deploy.variables, environment);
    draft.deploy.inputs.push(fromStep(toolsStep, [environment.DOTNET_ROOT]), fromStep("build", ["out"]));
    startWith(
      draft,
      `ASPNETCORE_URLS=http://0.0.0.0:\${PORT:-3000} ./out/${word(assemblyOf(draft, project))}`,
      `because ${project} makes a program of that name`,
    );
  },
};

function assemblyOf({ tree }: PlanDraft, project: string): string {
  return (
    /<AssemblyName>\s*([\w.-]+)\s*</.exec(textOf(tree, project))?.[1] ??
    posix.basename(project).replace(/\.\w+$/, "")
  );
}

function chooseDotnet(draft: PlanDraft, project: string): string {
  const { tree } = draft;
  const framework = /<TargetFrameworks?>\s*(?:net|netcoreapp)(\d+\.\d+)/.exec(textOf(tree, project))?.[1];
  const sdk = (tree.readJson("global.json") as { sdk?: { version?: unknown } } | null | undefined)?.sdk
    ?.version;
  const said: (ToolVersion | undefined)[] = [
    typeof sdk === "string" && /^\d+\.\d+\.\d+/.test(sdk)
      ? { version: sdk, reason: `global.json says ${sdk}` }
      : undefined,
    framework ? { version: framework, reason: `${project} targets ${framework}` } : undefined,
  ];
  const fallback = { version: defaultDotnet, reason: "nothing in the source names a version" };
  return chooseVersion(draft, {
    tool: "dotnet",
    label: ".NET",
    variable: "DOTNET_VERSION",
    manifest: said,
    fallback,
  });
}

/** Packages come before the code, so that a change of code restores nothing. A project that refers to others needs them all. */
function restore(draft: PlanDraft, project: string, environment: Record<string, string>): Step {
  const { tree } = draft;
  const step = addStep(
    draft,
    "install",
    toolsStep,
    "because dependencies are installed before the code is there, so that a change of code installs nothing again",
  );
  // A nuget.config takes the passwords of its feeds from variables of any name.
  step.secrets = ["*"];
  Object.assign(step.variables, environment);
  addCache(draft, step, "nuget", "/root/.nuget/packages");
  const refers = /<ProjectReference\b/.test(textOf(tree, project));
  if (refers) {
    step.inputs.push(fromSource());
    decide(draft, "restore on the whole source", `because ${project} refers to other projects`);
  } else {
    const files = [
      "nuget.config",
      "NuGet.config",
      "NuGet.Config",
      "global.json",
      "Directory.Build.props",
      "Directory.Packages.props",
      "packages.lock.json",
      project,
    ];
    step.commands.push(...files.filter(tree.hasFile).map((file) => copy(file)));
  }
  step.commands.push(exec(`dotnet restore ${word(project)}`));
  return step;
}
