import type { Step } from "../../build-plan.ts";
import { addPath, copy, exec, fromSource, fromStep, word } from "../../commands.ts";
import {
  addCache,
  addStep,
  decide,
  needPackages,
  type PlanDraft,
  startWith,
  toolsStep,
} from "../../plan-draft.ts";
import type { Provider } from "../../provider.ts";
import type { SourceTree } from "../../source-tree.ts";
import { chooseVersion } from "../../tool-version.ts";

const defaultGo = "1.26";

export const go: Provider = {
  name: "golang",
  label: "Go",
  looksFor: ["go.mod", "go.work", "main.go"],
  manifests: ["go.mod", "go.work"],
  detects: ({ tree }) => ["go.mod", "go.work", "main.go"].some(tree.hasFile),
  startHint: () =>
    "Add a main.go at the root, a command in cmd/<name>/, or set RAILPACK_GO_BIN to the command to build.",

  plan(draft) {
    const needsC = draft.variables.plain("CGO_ENABLED") === "1";
    chooseGo(draft);
    if (needsC) {
      needPackages(draft, "build", ["gcc", "g++", "libc6-dev"], "because CGO_ENABLED is 1");
      needPackages(draft, "run time", ["libc6"], "because CGO_ENABLED is 1, which links against it");
    }
    install(draft, needsC);
    const build = addStep(draft, "build", "install", "because the code comes after its modules");
    build.inputs.push(fromSource());
    build.secrets = ["*"];
    const target = buildTarget(draft);
    if (target) {
      addCache(draft, build, "go-build", "/root/.cache/go-build");
      build.commands.push(exec(`go build -ldflags="-w -s" -o out${target.package}`));
      decide(draft, `build ${target.what}`, `because ${target.reason}`);
      startWith(draft, "./out", "because the build writes the program there");
    }
    draft.deploy.inputs.push(fromStep("build", ["."]));
  },
};

function chooseGo(draft: PlanDraft): void {
  const said = /^go\s+(\d[\w.]*)/m.exec(draft.tree.read("go.mod") ?? draft.tree.read("go.work") ?? "")?.[1];
  const file = draft.tree.hasFile("go.mod") ? "go.mod" : "go.work";
  chooseVersion(draft, {
    tool: "go",
    label: "Go",
    variable: "GO_VERSION",
    files: [".go-version"],
    manifest: [said ? { version: said, reason: `${file} says go ${said}` } : undefined],
    fallback: { version: defaultGo, reason: "nothing in the source names a version" },
  });
}

function install(draft: PlanDraft, needsC: boolean): Step {
  const { tree } = draft;
  const step = addStep(
    draft,
    "install",
    toolsStep,
    "because modules are fetched before the code is there, so that a change of code fetches nothing again",
  );
  Object.assign(step.variables, { GOPATH: "/go", GOBIN: "/go/bin" });
  step.commands.push(addPath("/go/bin"));
  const isModule = tree.hasFile("go.mod");
  if (!isModule && !tree.hasFile("go.work")) return step;
  step.secrets = ["*"];
  addCache(draft, step, "go-build", "/root/.cache/go-build");
  const inner = tree
    .find("**/go.mod")
    .filter((file) => file !== "go.mod")
    .map((file) => file.slice(0, -"go.mod".length));
  const wanted = [
    "go.mod",
    "go.sum",
    "go.work",
    "go.work.sum",
    ...inner.flatMap((folder) => [`${folder}go.mod`, `${folder}go.sum`]),
  ];
  step.commands.push(...wanted.filter(tree.hasFile).map((file) => copy(file)), exec("go mod download"));
  if (!needsC) step.variables["CGO_ENABLED"] = "0";
  return step;
}

interface Target {
  readonly package: string;
  readonly what: string;
  readonly reason: string;
}

function buildTarget({ tree, variables }: PlanDraft): Target | undefined {
  const [module, bin] = [variables.get("GO_WORKSPACE_MODULE"), variables.get("GO_BIN")];
  if (module) return inFolder(module, `RAILPACK_GO_WORKSPACE_MODULE says ${module}`);
  if (bin) return inFolder(`cmd/${bin}`, `RAILPACK_GO_BIN says ${bin}`);
  const isModule = tree.hasFile("go.mod");
  if (isModule && tree.files.some((file) => !file.includes("/") && file.endsWith(".go"))) {
    return { package: "", what: "the package at the root", reason: "there are Go files at the root" };
  }
  const command = tree.findDirectories("cmd/*")[0];
  if (command) return inFolder(command, `it is the first command in cmd`);
  if (isModule) return { package: "", what: "the package at the root", reason: "go.mod is at the root" };
  const member = workspaceMain(tree);
  if (member) return inFolder(member, `it is the first module of the workspace with a main.go`);
  return tree.hasFile("main.go")
    ? { package: " main.go", what: "main.go", reason: "there is no go.mod" }
    : undefined;
}

const inFolder = (folder: string, reason: string): Target => ({
  package: ` ${word(`./${folder}`)}`,
  what: folder,
  reason,
});

const workspaceMain = (tree: SourceTree): string | undefined =>
  tree
    .find("**/go.mod")
    .map((file) => file.slice(0, -"/go.mod".length))
    .find((folder) => tree.hasFile(`${folder}/main.go`));
