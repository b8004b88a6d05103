import type { PlanDraft } from "../../plan-draft.ts";
import type { ToolVersion } from "../../plan-info.ts";
import { chooseVersion } from "../../tool-version.ts";
import { pickLine } from "../../version-range.ts";

const defaultPython = "3.13";
/** In order of preference, for a range that several lines fit. */
const lines = [defaultPython, "3.12", "3.14", "3.11", "3.10", "3.9", "3.8", "3.7", "2.7"];

export function choosePython(draft: PlanDraft): void {
  chooseVersion(draft, {
    tool: "python",
    label: "Python",
    variable: "PYTHON_VERSION",
    files: [".python-version", ".python-versions"],
    manifest: [runtimeTxt(draft), pipfile(draft), pyproject(draft)],
    fallback: { version: defaultPython, reason: "nothing in the source names a version" },
    resolve: resolvePython,
  });
  draft.miseSettings["python.compile"] = false;
}

/** Other builds than CPython (miniconda3-latest) have numbers of their own. */
function resolvePython(wanted: string): string | undefined {
  const text = wanted.replace(/^(?:cpython|python)@?-?/, "").trim();
  if (text.startsWith("pypy")) return wanted;
  return /^[a-z]{2}/i.test(text) ? undefined : pickLine(text, lines);
}

function runtimeTxt({ tree }: PlanDraft): ToolVersion | undefined {
  const version = /(\d+(?:\.\d+)*)/.exec(tree.read("runtime.txt") ?? "")?.[1];
  return version ? { version, reason: `runtime.txt says ${version}` } : undefined;
}

function pipfile({ tree }: PlanDraft): ToolVersion | undefined {
  const [, field, version] =
    /(python_full_version|python_version)\s*=\s*['"]([0-9.]+)['"]/.exec(tree.read("Pipfile") ?? "") ?? [];
  return version ? { version, reason: `Pipfile's ${field} says ${version}` } : undefined;
}

function pyproject({ tree }: PlanDraft): ToolVersion | undefined {
  const file = tree.readToml("pyproject.toml") as
    | {
        project?: { "requires-python"?: unknown };
        tool?: { poetry?: { dependencies?: { python?: unknown } } };
      }
    | undefined;
  const required = file?.project?.["requires-python"];
  if (typeof required === "string")
    return { version: required, reason: `pyproject.toml's requires-python says ${required}` };
  const poetry = file?.tool?.poetry?.dependencies?.python;
  return typeof poetry === "string"
    ? { version: poetry, reason: `pyproject.toml's poetry dependencies say python ${poetry}` }
    : undefined;
}
