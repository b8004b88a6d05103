import { list, table, text, texts } from "../../loose-values.ts";
import { PlanRefusal } from "../../plan-refusal.ts";
import type { SourceTree } from "../../source-tree.ts";

/** What the planner reads of a package.json; anything of another type than it should be counts as absent. */
export interface PackageJson {
  readonly name: string | undefined;
  readonly main: string | undefined;
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly engines: Readonly<Record<string, string>>;
  readonly volta: Readonly<Record<string, string>>;
  /** `packageManager`, split: pnpm@9.1.0+sha… is pnpm and 9.1.0. */
  readonly packageManager: { readonly name: string; readonly version: string | undefined } | undefined;
  /** `devEngines`: versions, or ranges of them, by the names of runtimes and of package managers, in its order. */
  readonly devEngines: {
    readonly runtime: Readonly<Record<string, string>>;
    readonly packageManager: Readonly<Record<string, string>>;
  };
  readonly workspaces: readonly string[];
}

/** In the order they are looked for; pnpm reads package.json5. */
const manifests = ["package.json", "package.json5"];

/** The path of the manifest in a folder ("" is the root), if there is one. */
export const manifestPath = (tree: SourceTree, folder = ""): string | undefined =>
  tree.firstFile(...manifests.map((name) => (folder === "" ? name : `${folder}/${name}`)));

/** Reads a manifest. Throws PlanRefusal when it is there but broken. */
export function readPackageJson(tree: SourceTree, file: string): PackageJson {
  const content = file.endsWith("5") ? looseJson5(tree, file) : tree.readJson(file);
  if (typeof content !== "object" || content === null || Array.isArray(content)) {
    throw new PlanRefusal(`${file} does not hold a JSON object`, {
      hint: `Make it at least {"scripts": {"start": "node index.js"}}.`,
    });
  }
  const fields = content as Record<string, unknown>;
  const manager = /^([a-z]+)@(\d[^+\s]*)|^([a-z]+)$/.exec(text(fields["packageManager"])?.trim() ?? "");
  const workspaces = fields["workspaces"];
  return {
    name: text(fields["name"]),
    main: text(fields["main"]),
    scripts: texts(fields["scripts"]),
    dependencies: texts(fields["dependencies"]),
    devDependencies: texts(fields["devDependencies"]),
    engines: texts(fields["engines"]),
    volta: texts(fields["volta"]),
    packageManager: manager ? { name: (manager[1] ?? manager[3])!, version: manager[2] } : undefined,
    devEngines: {
      runtime: devEngine(table(fields["devEngines"])["runtime"]),
      packageManager: devEngine(table(fields["devEngines"])["packageManager"]),
    },
    workspaces: list(Array.isArray(workspaces) ? workspaces : table(workspaces)["packages"]),
  };
}

/** One engine or a list of them; one that names no version may have any. */
const devEngine = (value: unknown): Record<string, string> =>
  Object.fromEntries(
    (Array.isArray(value) ? value.slice(0, 20) : [value])
      .map(table)
      .map((engine) => [text(engine["name"]), text(engine["version"]) ?? "*"] as const)
      .filter((entry): entry is [string, string] => entry[0] !== undefined),
  );

/** JSON5 as pnpm's manifests use it: unquoted keys and single quotes on top of comments and trailing commas. */
function looseJson5(tree: SourceTree, file: string): unknown {
  return tree.readYaml(file);
}

export const dependsOn = (manifest: PackageJson, name: string): boolean =>
  Object.hasOwn(manifest.dependencies, name) || Object.hasOwn(manifest.devDependencies, name);
