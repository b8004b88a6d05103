import { readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Who may import whom inside Starbase: its own folders. Anything not listed is refused. */
const starbaseMay: Readonly<Record<string, readonly string[]>> = {
  core: ["core", "ports", "integrations"],
  ports: ["core", "ports"],
  integrations: ["core", "ports", "integrations"],
  adapters: ["adapters", "core", "ports", "integrations"],
  http: ["http", "core", "ports", "integrations"],
  jobs: ["jobs", "core", "ports", "integrations"],
};

/** What core may import besides: no engine, no vendor, no store. */
const coreMay = [
  "zod",
  "croner",
  "@starform/contract",
  "@starform/std",
  "@starform/build-plan",
  "node:crypto",
];
/** Packages that keep to less than the rule. */
const packageMay: Readonly<Record<string, readonly string[]>> = { contract: ["zod"], std: [] };

type Import = { readonly from: string; readonly to: string };
const isBuiltin = (name: string) => name.startsWith("node:") || builtinModules.includes(name);
const packageOf = (name: string) =>
  name
    .split("/")
    .slice(0, name.startsWith("@") ? 2 : 1)
    .join("/");

const workspaces = ["apps", "packages"].flatMap((kind) =>
  readdirSync(join(root, kind), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => ({ kind, name, dir: join(root, kind, name) })),
);
const sourceFiles = (dir: string): string[] =>
  readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name);
    if (entry.isDirectory())
      return ["node_modules", ".next", "test", "e2e"].includes(entry.name) ? [] : sourceFiles(path);
    return /\.tsx?$/.test(entry.name) && !/\.(test|e2e)\.tsx?$/.test(entry.name) ? [path] : [];
  });

/** Imports in plain form only: `import … from "…"`, `export … from "…"`, `import "…"` and `import("…")`. */
const forms = [
  /^\s*(?:import|export)\s[^;"'`]*?\bfrom\s+["']([^"'\n]+)["']/gm,
  /^\s*import\s+["']([^"'\n]+)["']/gm,
  /\bimport\(\s*["']([^"'\n]+)["']/g,
];
const importsOf = (from: string): Import[] => {
  const text = readFileSync(from, "utf8");
  return forms.flatMap((form) => [...text.matchAll(form)].map((match) => ({ from, to: match[1] ?? "" })));
};

const isWithin = (dir: string, path: string) => !relative(dir, path).startsWith("..");
const say = ({ from, to }: Import) => `${relative(root, from)} imports ${to}`;
const all = workspaces.map((workspace) => ({
  ...workspace,
  imports: sourceFiles(workspace.dir).flatMap(importsOf),
}));

test("no workspace reaches into another one, no package imports an app, and std and contract stay at the bottom", () => {
  expect(all.flatMap(({ imports }) => imports).length).toBeGreaterThan(100);
  const appNames = new Set(all.filter(({ kind }) => kind === "apps").map(({ name }) => `@starform/${name}`));
  const refused = all.flatMap(({ kind, name, dir, imports }) =>
    imports.filter(({ from, to }) => {
      if (to.startsWith(".")) return !isWithin(dir, resolve(dirname(from), to));
      if (appNames.has(packageOf(to)) && packageOf(to) !== `@starform/${name}`) return true;
      const only = kind === "packages" ? packageMay[name] : undefined;
      return only !== undefined && !isBuiltin(to) && !only.includes(packageOf(to));
    }),
  );
  expect(refused.map(say)).toEqual([]);
});

test("inside Starbase every import goes the way the architecture points", () => {
  const src = join(root, "apps/starbase/src");
  const imports = all.find(({ kind, name }) => kind === "apps" && name === "starbase")?.imports ?? [];
  const seen = imports.filter(({ from }) => isWithin(src, from));
  expect(seen.length).toBeGreaterThan(100);
  const refused = seen.filter(({ from, to }) => {
    const folder = relative(src, from).split("/")[0] ?? "";
    const may = starbaseMay[folder];
    if (!may) return false;
    if (!to.startsWith(".")) return folder === "core" && !coreMay.includes(packageOf(to));
    return !may.includes(relative(src, resolve(dirname(from), to)).split("/")[0] ?? "");
  });
  expect(refused.map(say)).toEqual([]);
});

test("every package a workspace imports is declared by it", () => {
  const undeclared = all.flatMap(({ name, dir, imports }) => {
    const manifest = JSON.parse(readFileSync(join(dir, "package.json"), "utf8")) as Record<
      string,
      Record<string, string> | undefined
    >;
    const declared = new Set(
      ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"].flatMap((key) =>
        Object.keys(manifest[key] ?? {}),
      ),
    );
    return imports.filter(
      ({ to }) =>
        !to.startsWith(".") &&
        !to.startsWith("@/") &&
        !to.startsWith("#") &&
        !isBuiltin(to) &&
        packageOf(to) !== `@starform/${name}` &&
        !declared.has(packageOf(to)),
    );
  });
  expect(undeclared.map(say)).toEqual([]);
});
