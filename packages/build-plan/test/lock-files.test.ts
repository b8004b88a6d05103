import { describe, expect, test } from "vitest";
import { planned, refused } from "./planned.ts";

type Lock = {
  file: string;
  remake: string;
  app: Record<string, unknown>;
  whole: string;
  /** What is no such file, and what is said of it. */
  garbage: [text: string, why: RegExp];
};

const node = { "package.json": { scripts: { start: "node server.js" } }, "server.js": "" };
const python = { "main.py": "" };
const locks: Lock[] = [
  {
    file: "package-lock.json",
    remake: "npm install",
    app: node,
    whole: '{"packages":{"":{}}}',
    garbage: ['{"packages":', /JSON/],
  },
  {
    file: "npm-shrinkwrap.json",
    remake: "npm shrinkwrap",
    app: node,
    whole: '{"packages":{"":{}}}',
    garbage: ["[]", /does not hold a JSON object/],
  },
  {
    file: "yarn.lock",
    remake: "yarn install",
    app: node,
    whole: '# yarn lockfile v1\r\n\r\nms@2.1.3, "ms@^2":\r\n  version "2.1.3"\r\n',
    garbage: ["# yarn lockfile v1\n\nms@2.1.3\n", /line 3 is not of a yarn\.lock/],
  },
  {
    file: "yarn.lock",
    remake: "yarn install",
    app: node,
    whole:
      '__metadata:\n  version: 8\n\n? "a@npm:^1, b@npm:^1"\n:\n  version: 1.0.0\n"ms@npm:^2":\n  version: 2.1.3\n',
    garbage: ["__metadata:\n  version: 8\n\x00\x01 garbage", /line 3 is not of a yarn\.lock/],
  },
  {
    file: "pnpm-lock.yaml",
    remake: "pnpm install",
    app: node,
    whole:
      "---\nlockfileVersion: '9.0'\n---\nlockfileVersion: '9.0'\npackages:\n  ms@2.1.3:\n    resolution: {integrity: sha512-x}\n",
    garbage: ["lockfileVersion: '9.0'\npackages:\n}{ garbage\n", /line 3 is not of a pnpm-lock/],
  },
  {
    file: "pnpm-lock.yaml",
    remake: "pnpm install",
    app: node,
    whole: "lockfileVersion: '9.0'\n",
    garbage: ["hello", /lockfileVersion/],
  },
  {
    file: "bun.lock",
    remake: "bun install",
    app: node,
    whole: '{"lockfileVersion": 1, "packages": {},}',
    garbage: ['{"lockfileVersion": 1, "packages": {', /./],
  },
  {
    file: "deno.lock",
    remake: "deno install",
    app: { "deno.json": "{}", "main.ts": "" },
    whole: '{"version":"5"}',
    garbage: ["}", /JSON/],
  },
  {
    file: "uv.lock",
    remake: "uv lock",
    app: { ...python, "pyproject.toml": "[project]\n" },
    whole: "version = 1\n",
    garbage: ["version = = 1\n", /./],
  },
  {
    file: "poetry.lock",
    remake: "poetry lock",
    app: { ...python, "pyproject.toml": "[tool.poetry]\n" },
    whole: "[metadata]\n",
    garbage: ["[metadata\n", /./],
  },
  {
    file: "pdm.lock",
    remake: "pdm lock",
    app: { ...python, "pyproject.toml": "[project]\n" },
    whole: "[metadata]\n",
    garbage: ["[metadata\n", /./],
  },
  {
    file: "Pipfile.lock",
    remake: "pipenv lock",
    app: { ...python, Pipfile: "" },
    whole: '{"default":{}}',
    garbage: ["{", /JSON/],
  },
  {
    file: "go.sum",
    remake: "go mod tidy",
    app: { "go.mod": "module example.com/app\n\ngo 1.24\n", "main.go": "package main\n" },
    whole: "example.com/a v1.0.0 h1:abc=\nexample.com/a v1.0.0/go.mod h1:abc=\n",
    garbage: ["example.com/a v1.0.0 h1:abc=\nexample.com/a\n", /line 2 is not of a go\.sum/],
  },
  {
    file: "Cargo.lock",
    remake: "cargo generate-lockfile",
    app: { "Cargo.toml": '[package]\nname = "app"\n', "src/main.rs": "" },
    whole: "version = 4\n",
    garbage: ["version =\n", /./],
  },
  {
    file: "Gemfile.lock",
    remake: "bundle lock",
    app: { Gemfile: "", "config.ru": "" },
    whole: "GEM\n  specs:\n",
    garbage: ["hello\n", /none of the parts/],
  },
  {
    file: "composer.lock",
    remake: "composer update",
    app: { "composer.json": "{}", "index.php": "" },
    whole: '{"packages":[]}',
    garbage: ["", /JSON/],
  },
  {
    file: "mix.lock",
    remake: "mix deps.get",
    app: { "mix.exs": 'def project, do: [app: :shop, elixir: "~> 1.17"]' },
    whole: '%{\n  "jason": {:hex, :jason, "1.4.4"},\n}\n',
    garbage: ['%{\n  "jason": {', /map of Elixir/],
  },
  {
    file: "packages.lock.json",
    remake: "dotnet restore",
    app: {
      "app.csproj":
        "<Project><PropertyGroup><TargetFramework>net9.0</TargetFramework></PropertyGroup></Project>",
    },
    whole: '{"version":1}',
    garbage: ["{", /JSON/],
  },
  {
    file: "manifest.toml",
    remake: "gleam deps download",
    app: { "gleam.toml": 'name = "app"\n' },
    whole: "packages = []\n",
    garbage: ["packages = [\n", /./],
  },
];

describe.each(locks)("$file", ({ file, remake, app, whole, garbage }) => {
  test("is taken as its tool writes it", async () => {
    await planned({ ...app, [file]: whole });
  });

  test("with an unresolved merge conflict is refused with what writes it anew", async () => {
    const text = `${whole}\n<<<<<<< HEAD\na\n=======\nb\n>>>>>>> main\n`;
    const { message, hint } = await refused({ ...app, [file]: text });
    expect(message).toBe(`${file} is broken: it holds an unresolved merge conflict`);
    expect(hint).toContain(`Delete ${file}, run `);
    expect(hint).toContain(remake);
  });

  test("that holds something else is refused with what writes it anew", async () => {
    const [text, why] = garbage;
    const { message, hint } = await refused({ ...app, [file]: text });
    expect(message.startsWith(`${file} is broken: `)).toBe(true);
    expect(message.slice(`${file} is broken: `.length)).toMatch(why);
    expect(message).not.toContain("\n");
    expect(hint).toContain(remake);
  });
});

test("a lock file of a manager that is not used is none of ours", async () => {
  await planned({
    ...node,
    "pnpm-lock.yaml": "lockfileVersion: '9.0'\n",
    "yarn.lock": "<<<<<<< HEAD\n",
    "Gemfile.lock": "x",
  });
});
