import { exec, fromSource, fromStep, word } from "../../commands.ts";
import { addStep, needPackages, type PlanDraft, startWith, toolsStep } from "../../plan-draft.ts";
import type { Provider } from "../../provider.ts";
import { chooseVersion } from "../../tool-version.ts";

interface BuildSystem {
  readonly file: string;
  readonly tools: readonly string[];
  readonly commands: readonly string[];
  /** What names a program, the first match being the one to run. */
  readonly programs: RegExp;
}

const systems: readonly BuildSystem[] = [
  {
    file: "CMakeLists.txt",
    tools: ["cmake", "ninja"],
    commands: ["cmake -B build -G Ninja -DCMAKE_BUILD_TYPE=Release .", "cmake --build build"],
    programs: /^[ \t]*add_executable[ \t]*\(\s*([\w.${}-]+)/im,
  },
  {
    file: "meson.build",
    // meson itself comes through pipx.
    tools: ["meson", "ninja", "python", "pipx"],
    commands: ["meson setup --buildtype=release build", "meson compile -C build"],
    programs: /^[ \t]*(?:\w+[ \t]*=[ \t]*)?executable[ \t]*\(\s*'([\w.-]+)'/m,
  },
];

export const cpp: Provider = {
  name: "cpp",
  label: "C++",
  looksFor: systems.map(({ file }) => file),
  manifests: [],
  detects: (draft) => systemOf(draft) !== undefined,
  startHint: () => "Add an executable to CMakeLists.txt or meson.build, or set RAILPACK_START_CMD.",

  plan(draft) {
    const system = systemOf(draft)!;
    for (const tool of system.tools) {
      chooseVersion(draft, {
        tool,
        label: tool,
        fallback: { version: "latest", reason: `${system.file} is built with it` },
      });
    }
    const build = addStep(draft, "build", toolsStep, `because there is a ${system.file}`);
    build.inputs.push(fromSource());
    build.secrets = ["*"];
    build.commands.push(...system.commands.map((command) => exec(command)));
    const program = programOf(draft, system);
    if (program) {
      startWith(draft, `./build/${word(program)}`, `because it is the first executable in ${system.file}`);
    }
    needPackages(draft, "run time", ["libstdc++6"], "because C++ programs are linked against it");
    draft.deploy.inputs.push(fromStep("build", ["."]));
  },
};

const systemOf = ({ tree }: Pick<PlanDraft, "tree">): BuildSystem | undefined =>
  systems.find(({ file }) => tree.hasFile(file));

function programOf({ tree }: PlanDraft, { file, programs }: BuildSystem): string | undefined {
  const text = tree.read(file) ?? "";
  const project = /^[ \t]*project[ \t]*\(\s*'?([\w.-]+)/im.exec(text)?.[1];
  const name = programs.exec(text)?.[1];
  const variable = /\$\{(\w+)\}/.exec(name ?? "")?.[1];
  if (name === undefined || variable === undefined) return name;
  const value = ["PROJECT_NAME", "CMAKE_PROJECT_NAME"].includes(variable)
    ? project
    : new RegExp(`^[ \\t]*set[ \\t]*\\([ \\t]*${variable}[ \\t]+"?([\\w.-]+)"?[ \\t]*\\)`, "im").exec(
        text,
      )?.[1];
  return value === undefined ? undefined : name.replace(`\${${variable}}`, () => value);
}
