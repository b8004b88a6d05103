import { describe, expect, test } from "vitest";
import type { BuildPlan } from "../src/build-plan.ts";
import type { Decision, PlanInfo } from "../src/plan-info.ts";
import { providersInOrder } from "../src/providers/providers-in-order.ts";
import { commandsOf, planned } from "./planned.ts";

interface Source {
  readonly files: Record<string, unknown>;
  readonly variables?: Record<string, string>;
}

const start = { scripts: { start: "node a.js" } };
const configured = {
  buildAptPackages: ["jq"],
  packages: { jq: "1.7" },
  caches: { mine: { directory: "/mine" } },
  exclude: ["secret"],
  steps: { extra: { commands: ["echo extra"], caches: ["mine"] } },
  deploy: { aptPackages: ["ffmpeg"], base: { image: "debian:13" }, startCommand: "./mine" },
};

/** A source of each provider that needs as much as one can, and what a person configures over it. */
const sources: Record<string, Source> = {
  php: {
    files: {
      "composer.json": { require: { php: "^8.2", "ext-gd": "*" } },
      artisan: "",
      "public/index.php": "",
      "package.json": { scripts: { build: "vite build" }, dependencies: { a: "1" } },
    },
  },
  golang: {
    files: { "go.mod": "module a\ngo 1.22\n", "main.go": "" },
    variables: { CGO_ENABLED: "1" },
  },
  java: { files: { "pom.xml": "<java.version>17</java.version> spring-boot" } },
  "java of Gradle": { files: { "build.gradle": "", gradlew: "" } },
  rust: { files: { "Cargo.toml": '[package]\nname="a"\nedition="2021"', "src/main.rs": "" } },
  ruby: {
    files: {
      Gemfile: "gem 'rails'\ngem 'pg'\ngem 'sprockets'\ngem 'bootsnap'\n",
      "config/application.rb": "Rails::Application",
    },
  },
  elixir: {
    files: {
      "mix.exs": 'app: :a, elixir: "~> 1.17"\n"assets.deploy": []',
      "assets/package.json": {},
    },
  },
  python: {
    files: { "requirements.txt": "flask\ngunicorn\npsycopg2\n", "app.py": "api = Flask()" },
  },
  "python of pdm": { files: { "pyproject.toml": "", "pdm.lock": "", "main.py": "" } },
  "python without packages": { files: { "main.py": "" } },
  deno: { files: { "deno.json": "{}", "main.ts": "" } },
  dotnet: { files: { "a.csproj": "<TargetFramework>net8.0</TargetFramework>" } },
  node: {
    files: {
      "package.json": {
        scripts: { start: "node a.js", build: "x" },
        engines: { node: ">=25" },
        dependencies: { next: "1", puppeteer: "1", sharp: "1", prisma: "1" },
      },
      "yarn.lock": "",
      "prisma/schema.prisma": "",
    },
    variables: { RAILPACK_PRUNE_DEPS: "1", RAILPACK_NODE_PLAYWRIGHT_INSTALL: "1" },
  },
  "node by Corepack": { files: { "package.json": { ...start, packageManager: "pnpm@9.1.0" } } },
  gleam: { files: { "gleam.toml": 'name="a"\ngleam=">= 1.5.0"' } },
  cpp: { files: { "CMakeLists.txt": "project(a)\nadd_executable(a a.c)" } },
  staticfile: { files: { "index.html": "" } },
  shell: { files: { "start.sh": "#!/bin/zsh\n" } },
  "a Procfile alone": { files: { Procfile: "web: ./run" } },
  "a Procfile over all": { files: { "package.json": start, Procfile: "web: ./run" } },
  "railpack.json": { files: { "package.json": start, "railpack.json": configured } },
  "variables over railpack.json": {
    files: { "package.json": start, "railpack.json": configured, ".dockerignore": "a\n" },
    variables: {
      RAILPACK_INSTALL_CMD: "make deps",
      RAILPACK_BUILD_CMD: "make",
      RAILPACK_START_CMD: "./theirs",
      RAILPACK_PACKAGES: "jq@1.8 yq",
      RAILPACK_BUILD_APT_PACKAGES: "gcc",
      RAILPACK_DEPLOY_APT_PACKAGES: "curl",
      RAILPACK_DISABLE_CACHES: "mine",
    },
  },
};

const namesIn = (decisions: readonly Decision[], kind: string): string[] =>
  decisions.flatMap(({ about }) => (about.startsWith(kind) ? [about.slice(kind.length)] : [])).toSorted();

/** The packages that a step of Debian's installs, in order. */
const installed = (plan: BuildPlan, step: string): string[] =>
  (/install -y ([^']*)/.exec(commandsOf(plan, step)[0] ?? "")?.[1]?.split(" ") ?? []).toSorted();

const told = (decisions: readonly Decision[], when: string): string[] =>
  namesIn(decisions, `packages of ${when} `)
    .flatMap((names) => names.split(", "))
    .toSorted();

test("every provider has a source here", () => {
  expect(Object.keys(sources)).toEqual(expect.arrayContaining(providersInOrder.map(({ name }) => name)));
});

describe.each(Object.entries(sources))("%s", (_name, { files, variables }) => {
  test("has one decision, with its reason, on each step, tool, package, cache, and its start, and on nothing else", async () => {
    const { plan, info } = await planned(files, variables ? { variables } : {});
    const { decisions } = info;
    expect(namesIn(decisions, "step ")).toEqual(plan.steps.map(({ name }) => name).toSorted());
    expect(namesIn(decisions, "cache ")).toEqual(
      [...new Set(plan.steps.flatMap(({ caches }) => caches))].toSorted(),
    );
    expect(namesIn(decisions, "tool ")).toEqual(Object.keys(info.versions).toSorted());
    expect(told(decisions, "build")).toEqual(installed(plan, "packages:apt:build"));
    expect(told(decisions, "run time")).toEqual(installed(plan, "packages:apt:runtime"));
    expect(decisions.filter(({ about }) => about === "start").map(({ what }) => what)).toEqual([
      `start with "${plan.deploy.startCommand}"`,
    ]);
    expect(new Set(decisions.map(({ about }) => about)).size).toBe(decisions.length);
    for (const { reason } of decisions) expect(reason).toMatch(/^because \S+ \S+/);
  });
});

const reasonOf = ({ decisions }: PlanInfo, about: string): string | undefined =>
  decisions.find((one) => one.about === about)?.reason;
const reasons = async (about: string, { files, variables = {} }: Source) =>
  reasonOf((await planned(files, { variables })).info, about);

test("the start's reason names who said it last", async () => {
  const files = { "package.json": start, Procfile: "web: b" };
  expect(await reasons("start", { files: { "package.json": start } })).toBe(
    "because package.json has a start script",
  );
  expect(await reasons("start", { files })).toBe("because the Procfile's web says so");
  const json = { ...files, "railpack.json": { deploy: { startCommand: "c" } } };
  expect(await reasons("start", { files: json })).toBe("because railpack.json says so");
  const starform = { ...json, "starform.json": { startCommand: "d" } };
  expect(await reasons("start", { files: starform })).toBe("because starform.json says so");
  expect(await reasons("start", { files: starform, variables: { RAILPACK_START_CMD: "e" } })).toBe(
    "because RAILPACK_START_CMD (or the service's settings) says so",
  );
});

test("what a person's own install command replaces is told no more", async () => {
  const { info } = await planned({ "package.json": start }, { variables: { RAILPACK_INSTALL_CMD: "make" } });
  expect(info.decisions.map(({ what }) => what).join("\n")).not.toMatch(/npm install|may change from build/);
});

test("a program of a Rust workspace is not called the only one", async () => {
  const files = {
    "Cargo.toml": '[workspace]\nmembers=["a","b"]',
    "a/Cargo.toml": '[package]\nname="a"',
    "a/src/main.rs": "",
    "b/Cargo.toml": '[package]\nname="b"',
    "b/src/main.rs": "",
  };
  expect(await reasons("start", { files })).toBe("because it is the package that is built");
  expect(await reasons("build the package a of the workspace", { files })).toContain(
    "first of the workspace",
  );
  const variables = { RAILPACK_CARGO_WORKSPACE: "b" };
  expect(await reasons("build the package b of the workspace", { files, variables })).toBe(
    "because RAILPACK_CARGO_WORKSPACE says b",
  );
});

test("an index.php that is not there is no reason", async () => {
  expect(await reasons("serve /app", { files: { "composer.json": {} } })).toBe(
    "because no public/index.php says otherwise",
  );
  expect(await reasons("serve /app", { files: { "index.php": "" } })).toBe("because there is an index.php");
});

test("a version that cannot be read is said, and hides no later one", async () => {
  const engines = { ...start, engines: { node: "banana" } };
  expect(await reasons("tool node", { files: { "package.json": engines } })).toBe(
    "because package.json engines says banana, which is no version; this is the default",
  );
  const files = { "package.json": { ...engines, volta: { node: "22.3.0" } } };
  expect((await planned(files)).info.versions["node"]?.version).toBe("22.3.0");
  expect(await reasons("tool node", { files })).toContain(
    "volta says 22.3.0 (package.json engines says banana",
  );
});

test("a Maven that the source brings itself is not called unnamed", async () => {
  const files = { "pom.xml": "<project/>" };
  expect(await reasons("tool maven", { files })).toBe("because nothing in the source names a version");
  const wrapped = { ...files, mvnw: "", ".mvn/wrapper/maven-wrapper.properties": "" };
  expect(await reasons("tool maven", { files: wrapped })).toContain("own mvnw brings the one");
});

test(".NET is told by its project, and Gleam's own version is read", async () => {
  const dotnet = await planned(sources["dotnet"]!.files);
  expect(reasonOf(dotnet.info, "this is .NET")).toBe("because there is an a.csproj");
  expect((await planned({ "gleam.toml": 'gleam = "1.9.1"' })).info.versions["gleam"]).toEqual({
    version: "1.9.1",
    reason: 'gleam.toml says gleam = "1.9.1"',
  });
});
