import { expect, test } from "vitest";
import { planSource } from "../src/plan-source.ts";
import { proposeServices } from "../src/propose-services.ts";
import { sourceOf } from "./source-of.ts";

const proposed = async (files: Record<string, unknown>) => {
  await using source = await sourceOf(files);
  return (await proposeServices(source.dir)).services;
};

test("folders with an app of their own are services, examples and libraries are not", async () => {
  const node = { scripts: { start: "node ." } };
  const services = await proposed({
    "services/api/go.mod": "module api\n",
    "services/api/main.go": "",
    "frontend/package.json": node,
    "frontend/.env.example": "API_URL=${{api.URL}}\nSECRET=change-me\n",
    "mail-worker/Procfile": "worker: ./work",
    "examples/demo/package.json": node,
    "docs/index.html": "",
  });
  expect(
    services.map(({ name, type, rootDirectory, provider }) => ({ name, type, rootDirectory, provider })),
  ).toEqual([
    { name: "frontend", type: "web", rootDirectory: "frontend", provider: "node" },
    { name: "mail-worker", type: "worker", rootDirectory: "mail-worker", provider: "procfile" },
    { name: "api", type: "web", rootDirectory: "services/api", provider: "golang" },
  ]);
  expect(services[0]).toMatchObject({
    watchPaths: ["frontend/**"],
    plannedStart: "npm run start",
    variables: { API_URL: "${{api.URL}}" },
  });
});

test("members of a workspace are built from its root, their local packages first", async () => {
  const services = await proposed({
    "package.json": { private: true, workspaces: ["apps/*", "packages/*"] },
    "package-lock.json": {},
    "packages/ui/package.json": { name: "@a/ui", scripts: { build: "tsc" } },
    "apps/web/package.json": {
      name: "@a/web",
      scripts: { build: "vite build" },
      dependencies: { "@a/ui": "*" },
      devDependencies: { vite: "7" },
    },
    "apps/api/package.json": { name: "@a/api", scripts: { start: "node ." } },
  });
  expect(services).toMatchObject([
    {
      name: "api",
      rootDirectory: ".",
      startCommand: "npm run start --workspace=apps/api",
      watchPaths: ["apps/api/**", "/package.json", "/package-lock.json"],
    },
    {
      name: "web",
      rootDirectory: ".",
      buildCommand: "npm run build --workspace=packages/ui && npm run build --workspace=apps/web",
      variables: { RAILPACK_SPA_OUTPUT_DIR: "apps/web/dist" },
      watchPaths: ["apps/web/**", "packages/ui/**", "/package.json", "/package-lock.json"],
    },
  ]);
});

test("a proposal of a workspace can be planned as it is", async () => {
  await using source = await sourceOf({
    "package.json": { workspaces: ["apps/*"] },
    "apps/web/package.json": { scripts: { build: "vite build" }, devDependencies: { vite: "7" } },
  });
  const [web] = (await proposeServices(source.dir)).services;
  const outcome = await planSource(source.dir, {
    rootDirectory: web!.rootDirectory,
    variables: { ...web!.variables, RAILPACK_BUILD_CMD: web!.buildCommand! },
  });
  expect(outcome).toMatchObject({
    ok: true,
    plan: { deploy: { startCommand: "node .starform/serve.mjs apps/web/dist --spa" } },
  });
});

test("each process of a Procfile is a service", async () => {
  const services = await proposed({
    "main.py": "",
    Procfile: "web: python3 main.py\nqueue: python3 work.py\nrelease: ./migrate\n",
  });
  expect(services.map(({ name, type, startCommand }) => [name, type, startCommand])).toEqual([
    ["web", "web", "python3 main.py"],
    ["queue", "worker", "python3 work.py"],
  ]);
});

test("an ordinary repository is one service, and one without an app is none", async () => {
  expect(await proposed({ "package.json": { name: "@me/Shop App", scripts: { start: "x" } } })).toMatchObject(
    [{ name: "shop-app", rootDirectory: ".", type: "web" }],
  );
  expect(await proposed({ "README.md": "" })).toEqual([]);
  expect(await proposed({ "package.json": "{" })).toEqual([]);
});

test("names are unique and fit for a host name", async () => {
  const app = { scripts: { start: "x" } };
  const services = await proposed({
    "a/Api/package.json": app,
    "b/api/package.json": app,
    "c/x/package.json": app,
  });
  expect(services.map(({ name }) => name)).toEqual(["api", "b-api", "app"]);
});

test("a plan made from the root says which services there are", async () => {
  await using source = await sourceOf({
    "package.json": { scripts: { start: "x" } },
    "worker/package.json": { scripts: { start: "x" } },
  });
  expect(await planSource(source.dir)).toMatchObject({
    ok: true,
    info: { services: [{ rootDirectory: "." }, { name: "worker" }] },
  });
  await using only = await sourceOf({
    "web/index.html": "",
    "web/package.json": { scripts: { start: "x" } },
  });
  expect(await planSource(only.dir)).toMatchObject({
    ok: false,
    error: { hint: "Set the service's root directory to web, where it starts with `npm run start`." },
  });
});

const outcomeOf = async (files: Record<string, unknown>) => {
  await using source = await sourceOf(files);
  return await proposeServices(source.dir);
};

test("where nothing is recognised it is said what was looked for, and which file would help", async () => {
  expect(await outcomeOf({ "tool.py": "print(1)\n" })).toMatchObject({
    services: [],
    error: { message: "no app was found in the source", hint: expect.stringContaining("main.py") as string },
  });
  expect(await outcomeOf({ "package.json": "{" })).toMatchObject({
    services: [],
    error: { message: expect.stringContaining("package.json is not valid JSON") as string },
  });
});

const many = (count: number, file: (at: number) => [string, unknown]) =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => file(at)));
const node = { scripts: { start: "node ." } };

test("more apps than anybody reads are cut, and that they are is told", async () => {
  const { services, notes } = await outcomeOf(many(43, (at) => [`app-${at}/package.json`, node]));
  expect(services).toHaveLength(40);
  expect(notes).toEqual([
    "only the first 40 of the 43 folders and processes that may be apps were looked at",
  ]);
  expect((await outcomeOf(many(40, (at) => [`app-${at}/package.json`, node]))).notes).toEqual([]);
});

test("a workspace of more members and patterns than are looked at says so, in the plan's decisions too", async () => {
  await using source = await sourceOf({
    "package.json": {
      scripts: { start: "node ." },
      workspaces: ["packages/*", ...Array.from({ length: 70 }, (_, at) => `other-${at}/*`)],
    },
    ...many(1_003, (at) => [`packages/a${at}/package.json`, {}]),
    "packages/a1/package.json": node,
  });
  const told = [
    "only the first 64 of 71 patterns of the workspace were looked at",
    "only the first 1,000 of 1,003 members of the workspace were looked at",
  ];
  expect((await proposeServices(source.dir)).notes).toEqual(told);
  const outcome = await planSource(source.dir);
  expect(outcome.ok && outcome.info.decisions.map(({ what }) => what)).toEqual(
    expect.arrayContaining(told) as unknown,
  );
});

test("a name is no longer than a service's may be", async () => {
  const long = "a-very-long-name-of-a-folder-with-an-app";
  const names = (await proposed({ [`x/${long}/go.mod`]: "module a\n", [`x/${long}/main.go`]: "" })).map(
    ({ name }) => name,
  );
  expect(names).toEqual(["a-very-long-name-of-a-folder-w"]);
});

test("every language's app is proposed by what its provider looks for", async () => {
  const services = await proposed({
    "services/api/Api.csproj": "<TargetFramework>net9.0</TargetFramework>",
    "services/cpp/CMakeLists.txt": "add_executable(a a.cpp)",
    "services/go/main.go": "",
    "services/php/index.php": "",
    "services/py/main.py": "",
    "services/sh/start.sh": "",
    "services/site/index.html": "",
    "services/site/about/index.html": "",
  });
  expect(services.map(({ name, provider }) => [name, provider])).toEqual([
    ["api", "dotnet"],
    ["cpp", "cpp"],
    ["go", "golang"],
    ["php", "php"],
    ["py", "python"],
    ["sh", "shell"],
    ["site", "staticfile"],
  ]);
});

test("pages and scripts inside an app, and what it is built to, are no services of their own", async () => {
  const app = { "package.json": { scripts: { start: "node ." } }, "index.html": "" };
  const inside = {
    "pages/index.html": "",
    "bot/main.py": "",
    "public/index.html": "",
    "dist/index.html": "",
  };
  expect((await proposed({ ...app, ...inside })).map(({ rootDirectory }) => rootDirectory)).toEqual(["."]);
  const below = (files: Record<string, unknown>) =>
    Object.fromEntries(Object.entries(files).map(([name, content]) => [`web/${name}`, content]));
  expect((await proposed(below({ ...app, ...inside }))).map(({ rootDirectory }) => rootDirectory)).toEqual([
    "web",
  ]);
  expect(
    (await proposed({ "all/start.sh": "", "all/api/package.json": app["package.json"] })).map(
      ({ rootDirectory }) => rootDirectory,
    ),
  ).toEqual(["all", "all/api"]);
});

test("a folder that looks like an app and cannot be planned is told, with why", async () => {
  const { services, notes } = await outcomeOf({
    "api/package.json": { scripts: { start: "x" } },
    "jobs/requirements.txt": "",
    "shop/Cargo.toml": "[",
  });
  expect(services.map(({ name }) => name)).toEqual(["api"]);
  expect(notes).toEqual([
    "jobs has a requirements.txt, but is not proposed: this is Python, but nothing says how to start it",
    expect.stringMatching(/^shop has a Cargo\.toml, but is not proposed: Cargo\.toml is not valid TOML/),
  ]);
});
