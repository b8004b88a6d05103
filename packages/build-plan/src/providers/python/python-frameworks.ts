import { word } from "../../commands.ts";
import type { PlanDraft } from "../../plan-draft.ts";
import type { SourceTree } from "../../source-tree.ts";
import { type PythonDependencies, pythonDependencies } from "./python-dependencies.ts";
import { mainFiles } from "./python-main-files.ts";

const address = "--host 0.0.0.0 --port ${PORT:-8000}";

/** Which framework a Python source is written in, if it names one. */
export function frameworkOf(tree: SourceTree): "Django" | "FastAPI" | "FastHTML" | "Flask" | undefined {
  const dependencies = pythonDependencies(tree);
  if (tree.hasFile("manage.py") && dependencies.has("django")) return "Django";
  if (dependencies.has("python-fasthtml")) return "FastHTML";
  if (dependencies.has("fastapi")) return "FastAPI";
  return dependencies.has("flask") ? "Flask" : undefined;
}

export interface PythonStart {
  readonly command: string;
  readonly reason: string;
  /** The server that the command calls and no manifest names. */
  readonly lacking?: string;
}

/** How a Python source starts: its framework's production server if that is installed, else its main file. */
export function pythonStart(draft: PlanDraft): PythonStart | undefined {
  const { tree } = draft;
  const dependencies = pythonDependencies(tree);
  const framework = frameworkOf(tree);
  const main = tree.firstFile(...mainFiles);
  if (framework === "Django") {
    const django = djangoStart(draft, dependencies);
    if (django) return django;
  }
  if (main && framework) {
    const served = serverStart(framework, main, tree, dependencies);
    if (served) return served;
  }
  if (main) return { command: `python3 ${main}`, reason: `there is a ${main}` };
  const inner = framework === undefined ? undefined : tree.firstFile("app/main.py", "app/app.py");
  if (inner && framework) {
    const served = serverStart(framework, inner, tree, dependencies);
    return served ?? { command: `python3 -m ${moduleOf(inner)}`, reason: `there is an ${inner}` };
  }
  const packaged = packageMain(tree);
  return packaged
    ? { command: `python3 -m ${packaged}`, reason: `the package ${packaged} can be run` }
    : undefined;
}

function serverStart(
  framework: string,
  main: string,
  tree: SourceTree,
  dependencies: PythonDependencies,
): { command: string; reason: string } | undefined {
  const module = moduleOf(main);
  const app = appName(tree.read(main) ?? "", framework);
  if (framework === "Flask" && dependencies.has("gunicorn")) {
    return {
      command: `gunicorn --bind 0.0.0.0:\${PORT:-8000} ${module}:${app}`,
      reason: "Flask apps are served by gunicorn when it is installed",
    };
  }
  if (
    framework === "FastAPI" &&
    !dependencies.has("uvicorn") &&
    dependencies.hasExtra("fastapi", "standard")
  ) {
    return { command: `fastapi run ${main} ${address}`, reason: "fastapi[standard] brings its own server" };
  }
  const usesUvicorn = (framework === "FastAPI" || framework === "FastHTML") && dependencies.has("uvicorn");
  return usesUvicorn
    ? {
        command: `uvicorn ${module}:${app} ${address}`,
        reason: `${framework} apps are served by uvicorn when it is installed`,
      }
    : undefined;
}

const moduleOf = (file: string): string => file.replace(/\.py$/, "").replaceAll("/", ".");

/** The variable the app object is in: `api = FastAPI()` is `api`. */
function appName(source: string, framework: string): string {
  const maker = { Flask: "Flask", FastAPI: "FastAPI", FastHTML: "FastHTML|fast_app" }[framework] ?? framework;
  return (
    new RegExp(
      `^(\\w+)(?:[ \\t]*:[^=\\n]{0,80})?(?:,[ \\t]*\\w+)*[ \\t]*=[ \\t]*(?:\\w+\\.)?(?:${maker})\\(`,
      "m",
    ).exec(source)?.[1] ?? "app"
  );
}

function djangoStart(
  { tree, variables }: PlanDraft,
  dependencies: PythonDependencies,
): PythonStart | undefined {
  const wsgi = variables.get("DJANGO_APP_NAME") ?? settingOf(tree, "WSGI_APPLICATION");
  const asgi = settingOf(tree, "ASGI_APPLICATION");
  const migrate = "python3 manage.py migrate --noinput";
  if (asgi && dependencies.has("daphne")) {
    return {
      command: `${migrate} && daphne -b 0.0.0.0 -p \${PORT:-8000} ${word(asgi)}:application`,
      reason: "ASGI_APPLICATION is set and daphne installed",
    };
  }
  if (asgi && !dependencies.has("gunicorn") && dependencies.has("uvicorn")) {
    return {
      command: `${migrate} && uvicorn ${word(asgi)}:application ${address}`,
      reason: "ASGI_APPLICATION is set and uvicorn installed",
    };
  }
  return wsgi
    ? {
        command: `${migrate} && gunicorn --bind 0.0.0.0:\${PORT:-8000} ${word(wsgi)}:application`,
        reason: `WSGI_APPLICATION names ${wsgi}`,
        ...(dependencies.has("gunicorn") ? {} : { lacking: "gunicorn" }),
      }
    : undefined;
}

function settingOf(tree: SourceTree, setting: string): string | undefined {
  const settings = tree.files.filter((file) =>
    /(^|\/)settings(\/\w+)?\.py$|(^|\/)(base|production|prod)\.py$/.test(file),
  );
  const others = tree.find("**/*.py").filter((file) => !settings.includes(file));
  for (const file of [...settings, ...others].slice(0, 60)) {
    const found = new RegExp(`${setting}\\s*=\\s*["']([\\w.]+)\\.application["']`).exec(
      tree.readStart(file, 65_536) ?? "",
    );
    if (found) return found[1];
  }
  return undefined;
}

/** `src/app/__main__.py` and `app/__main__.py` both run as `python3 -m app`, the first once it is installed. */
const packageMain = (tree: SourceTree): string | undefined =>
  [...tree.find("*/__main__.py"), ...tree.find("src/*/__main__.py")][0]?.split("/").at(-2);
