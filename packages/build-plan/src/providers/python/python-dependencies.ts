import type { SourceTree } from "../../source-tree.ts";

/** The distributions a source names in its manifests, as they are compared: lower case, "-" for "_" and ".", extras kept apart. */
export interface PythonDependencies {
  has(name: string): boolean;
  /** Whether a dependency is asked for with an extra, as in `psycopg[binary]`. */
  hasExtra(name: string, extra: string): boolean;
}

export function pythonDependencies(tree: SourceTree): PythonDependencies {
  const known = read.get(tree);
  if (known) return known;
  const dependencies = readDependencies(tree);
  read.set(tree, dependencies);
  return dependencies;
}

/** Each question about a source asks for them, and they are many. */
const read = new WeakMap<SourceTree, PythonDependencies>();

function readDependencies(tree: SourceTree): PythonDependencies {
  const extras = new Map<string, Set<string>>();
  for (const { name, extra } of [...requirements(tree), ...pyprojects(tree), ...pipfile(tree)]) {
    const of = extras.get(normal(name)) ?? new Set();
    for (const one of extra) of.add(normal(one));
    extras.set(normal(name), of);
  }
  return {
    has: (name) => extras.has(normal(name)),
    hasExtra: (name, extra) => extras.get(normal(name))?.has(normal(extra)) ?? false,
  };
}

interface Named {
  readonly name: string;
  readonly extra: string[];
}

const normal = (name: string): string => name.toLowerCase().replace(/[-_.]+/g, "-");

function named(specification: string): Named[] {
  const match = /^\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[([^\]]*)\])?/.exec(specification);
  return match
    ? [
        {
          name: match[1]!,
          extra: (match[2] ?? "")
            .split(",")
            .map((extra) => extra.trim())
            .filter(Boolean),
        },
      ]
    : [];
}

const requirements = (tree: SourceTree): Named[] =>
  tree
    .find("**/requirements.txt")
    .slice(0, 20)
    .flatMap((file) => tree.readLines(file)!.flatMap(named));

function pyprojects(tree: SourceTree): Named[] {
  return tree
    .find("**/pyproject.toml")
    .slice(0, 50)
    .flatMap((file) => {
      const content = tree.readToml(file) as Pyproject;
      const poetry = content.tool?.poetry;
      const groups = Object.values(poetry?.group ?? {}).map((group) => group?.dependencies);
      const listed = [
        content.project?.dependencies,
        ...Object.values(content.project?.["optional-dependencies"] ?? {}),
      ];
      return [...listed.flatMap(strings).flatMap(named), ...[poetry?.dependencies, ...groups].flatMap(keys)];
    });
}

interface Pyproject {
  readonly project?: {
    readonly dependencies?: unknown;
    readonly "optional-dependencies"?: Record<string, unknown>;
  };
  readonly tool?: {
    readonly poetry?: {
      readonly dependencies?: unknown;
      readonly group?: Record<string, { dependencies?: unknown } | undefined>;
    };
  };
}

const pipfile = (tree: SourceTree): Named[] => keys(tree.readToml("Pipfile")?.["packages"]);

const strings = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];

const keys = (table: unknown): Named[] =>
  typeof table !== "object" || table === null
    ? []
    : Object.entries(table).map(([name, value]) => ({
        name,
        extra: strings((value as { extras?: unknown } | null)?.extras),
      }));
