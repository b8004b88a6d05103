import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect, test } from "vitest";

const root = import.meta.dirname;

/** Who may import whom inside the dashboard: its own folders and files, then packages. Anything else is refused. */
const may: Readonly<Record<string, readonly string[]>> = {
  ui: ["ui", "react", "@starform/std"],
  api: [
    "api",
    "paths.ts",
    "react",
    "@tanstack/react-query",
    "@starform/client",
    "@starform/contract",
    "@starform/std",
    "zod",
  ],
  session: ["session", "config.ts", "@starform/client", "@starform/contract", "@starform/std", "zod"],
  features: [
    "features",
    "ui",
    "api",
    "paths.ts",
    "react",
    "next",
    "@starform/contract",
    "@starform/std",
    "zod",
  ],
};

const sourcesOf = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.tsx?$/.test(name) && !name.endsWith(".test.ts"))
    .map((name) => join(root, folder, name));

/** A folder or file of ours, or the name of a package. */
const targetOf = (from: string, to: string): string =>
  to.startsWith(".")
    ? relative(root, resolve(dirname(from), to)).split("/")[0]!
    : to
        .split("/")
        .slice(0, to.startsWith("@") ? 2 : 1)
        .join("/");

test("the looks know no routes and no data, and every import goes the way the folders say", () => {
  const imports = Object.keys(may).flatMap((folder) =>
    sourcesOf(folder).flatMap((from) =>
      [...readFileSync(from, "utf8").matchAll(/\bfrom "([^"\n]+)"/g)].map(([, to = ""]) => ({
        folder,
        from,
        to,
      })),
    ),
  );
  expect(imports.length).toBeGreaterThan(200);
  const refused = imports.filter(({ folder, from, to }) => !may[folder]!.includes(targetOf(from, to)));
  expect(refused.map(({ from, to }) => `${relative(root, from)} imports ${to}`)).toEqual([]);
});
