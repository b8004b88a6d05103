import { describe, expect, test } from "vitest";
import { commandsOf, planned, refused } from "./planned.ts";

const app = (more: Record<string, unknown> = {}) => ({
  scripts: { start: "node ." },
  dependencies: { a: "1.0.0" },
  ...more,
});
const lockOf = (manifest: { dependencies?: unknown }) => ({
  packages: { "": { dependencies: manifest.dependencies } },
});

describe("the package manager", () => {
  test.each([
    ["npm with its lock", { "package-lock.json": lockOf(app()) }, {}, "npm ci", "npm run start"],
    ["npm without a lock", {}, {}, "npm install", "npm run start"],
    [
      "npm with a lock that lags behind",
      { "package-lock.json": lockOf({}) },
      {},
      "npm install",
      "npm run start",
    ],
    [
      "pnpm by its lock",
      { "pnpm-lock.yaml": "lockfileVersion: '9.0'\n" },
      {},
      "pnpm install --frozen-lockfile --prefer-offline",
      "pnpm run start",
    ],
    ["bun by its lock", { "bun.lock": "{}" }, {}, "bun install --frozen-lockfile", "bun run start"],
    [
      "yarn 1 by its lock",
      { "yarn.lock": "# yarn lockfile v1\n" },
      {},
      "yarn install --frozen-lockfile",
      "yarn run start",
    ],
    [
      "yarn 4 by its lock",
      { "yarn.lock": "__metadata:\n  version: 8\n" },
      {},
      "yarn install --immutable --check-cache",
      "yarn run start",
    ],
    [
      "pnpm by packageManager",
      { "package-lock.json": {} },
      { packageManager: "pnpm@9.1.0+sha512.abc" },
      "pnpm install",
      "pnpm run start",
    ],
    ["pnpm by engines", {}, { engines: { pnpm: ">=9" } }, "pnpm install", "pnpm run start"],
  ])("%s", async (_name, files, manifest, install, start) => {
    const { plan } = await planned({ "package.json": app(manifest), ...files });
    expect(commandsOf(plan, "install").at(-1)).toBe(install);
    expect(plan.deploy.startCommand).toBe(start);
  });

  test("of packageManager is brought by Corepack in that very version", async () => {
    const { plan, info } = await planned({
      "package.json": app({ packageManager: "yarn@4.5.3" }),
      "yarn.lock": "__metadata:\n  version: 8\n",
    });
    expect(commandsOf(plan, "install")[0]).toContain("corepack prepare --activate");
    expect(info.versions["yarn"]).toEqual({
      version: "4.5.3",
      reason: "package.json packageManager says yarn@4.5.3",
    });
    expect(JSON.stringify(plan.steps[0])).not.toContain("yarn =");
  });

  test.each([
    ["pnpm", { pnpm: ">=9" }, "9", {}],
    ["pnpm", { pnpm: "^10.33.0" }, "10", { "pnpm-lock.yaml": "lockfileVersion: '9.0'\n" }],
    ["pnpm", { pnpm: ">=7" }, "8", { "pnpm-lock.yaml": "lockfileVersion: '6.0'\n" }],
    ["pnpm", { pnpm: "11.5.x" }, "11.5", {}],
    ["pnpm", { pnpm: "10.2.0" }, "10.2.0", {}],
    ["yarn", { yarn: ">=1.22" }, "1", {}],
    ["yarn", { yarn: ">=3" }, "3", { "yarn.lock": "__metadata:\n  version: 6\n" }],
    ["bun", { bun: ">=1.0.0" }, "1", {}],
  ])(
    "%s by a range in engines (%o) is of the line %s, which its installer understands",
    async (tool, engines, version, files) => {
      const { plan, info } = await planned({ "package.json": app({ engines }), ...files });
      expect(info.versions[tool]).toEqual({
        version,
        reason: `package.json engines says ${Object.values(engines)[0]}`,
      });
      expect(
        plan.steps.find(({ name }) => name === "packages:mise")!.assets["generated-mise-toml"],
      ).toContain(`${tool} = "${version}"`);
    },
  );

  test("Plug'n'Play keeps yarn's cache in the image, node_modules do not", async () => {
    const files = { "package.json": app(), "yarn.lock": "__metadata:\n  version: 8\n" };
    const pnp = await planned(files);
    const linked = await planned({ ...files, ".yarnrc.yml": "nodeLinker: node-modules\n" });
    expect(pnp.plan.deploy.inputs[1]).toEqual({ step: "build", include: ["/app/.yarn"] });
    expect(linked.plan.deploy.inputs[1]).toEqual({ step: "build", include: ["/app/node_modules"] });
  });
});

describe("Node's version", () => {
  test.each([
    ["package.json engines", { engines: { node: ">=22" } }, {}, "22", "package.json engines says >=22"],
    [
      "engines out of support",
      { engines: { node: "^18.17.0" } },
      {},
      "18",
      "package.json engines says ^18.17.0",
    ],
    [
      ".nvmrc over engines",
      { engines: { node: "18" } },
      { ".nvmrc": "v22.3.0\n" },
      "22.3.0",
      ".nvmrc says v22.3.0",
    ],
    [".nvmrc by name", {}, { ".nvmrc": "lts/jod\n" }, "22", ".nvmrc says lts/jod"],
    [
      ".tool-versions over .nvmrc",
      {},
      { ".nvmrc": "18", ".tool-versions": "nodejs 20.1.0 # old\n" },
      "20.1.0",
      ".tool-versions says 20.1.0",
    ],
    [
      "mise.toml over all files",
      {},
      { "mise.toml": '[tools]\nnode = ["24.1"]\n', ".tool-versions": "nodejs 20" },
      "24.1",
      "mise.toml says 24.1",
    ],
    ["nothing", {}, {}, "24", "nothing in the source names a version"],
  ])("comes from %s", async (_name, manifest, files, version, reason) => {
    const { info } = await planned({ "package.json": app(manifest), ...files });
    expect(info.versions["node"]).toEqual({ version, reason });
    expect(info.decisions).toContainEqual({
      about: "tool node",
      what: `Node ${version}`,
      reason: `because ${reason}`,
    });
  });

  test("RAILPACK_NODE_VERSION wins over every file", async () => {
    const { info } = await planned(
      { "package.json": app(), ".nvmrc": "18" },
      { variables: { RAILPACK_NODE_VERSION: "20.5.1" } },
    );
    expect(info.versions["node"]).toEqual({ version: "20.5.1", reason: "RAILPACK_NODE_VERSION says 20.5.1" });
  });
});

describe("a framework", () => {
  const built = (
    build: string,
    dependencies: Record<string, string>,
    more: Record<string, unknown> = {},
  ) => ({ scripts: { build, ...more }, dependencies });
  test.each([
    [
      "Vite",
      { "package.json": built("vite build", { vite: "7" }), "vite.config.ts": "build: { outDir: 'site' }" },
      "node .starform/serve.mjs site --spa",
    ],
    [
      "Create React App",
      {
        "package.json": built(
          "react-scripts build",
          { "react-scripts": "5" },
          { start: "react-scripts start" },
        ),
      },
      "node .starform/serve.mjs build --spa",
    ],
    [
      "Astro",
      { "package.json": built("astro build", { astro: "5" }), "astro.config.mjs": "" },
      "node .starform/serve.mjs dist --spa",
    ],
    [
      "Astro on Node",
      {
        "package.json": built("astro build", { astro: "5", "@astrojs/node": "9" }),
        "astro.config.mjs": "output: 'server'",
      },
      "node dist/server/entry.mjs",
    ],
    [
      "Angular",
      {
        "package.json": built("ng build", { "@angular/core": "20" }, { start: "ng serve" }),
        "angular.json": {
          projects: {
            shop: { architect: { build: { builder: "@angular/build:application", options: {} } } },
          },
        },
      },
      "node .starform/serve.mjs dist/shop/browser --spa",
    ],
    [
      "React Router without a server",
      {
        "package.json": built("react-router build", { "@react-router/dev": "7" }),
        "react-router.config.ts": "export default {\n  ssr: false,\n}",
      },
      "node .starform/serve.mjs build/client --spa",
    ],
    [
      "React Router with one",
      { "package.json": built("react-router build", { "@react-router/dev": "7" }) },
      "npx react-router-serve ./build/server/index.js",
    ],
    ["Next.js", { "package.json": built("next build", { next: "16" }) }, "npx next start"],
    [
      "Next.js exported",
      {
        "package.json": built("next build", { next: "16" }),
        "next.config.mjs": 'export default { output: "export" }',
      },
      "node .starform/serve.mjs out --spa",
    ],
    [
      "Next.js standalone",
      {
        "package.json": built("next build", { next: "16" }, { start: "next start" }),
        "next.config.ts": "output: 'standalone'",
      },
      "node .next/standalone/server.js",
    ],
    [
      "Vite with a root of its own",
      {
        "package.json": built("vite build", { vite: "7" }),
        "vite.config.ts": "root: 'web/src', build: { outDir: '../site' }",
      },
      "node .starform/serve.mjs web/site --spa",
    ],
    [
      "Expo that renders on a server",
      {
        "package.json": built("expo export", { expo: "54" }, { start: "expo start" }),
        "app.json": { expo: { web: { output: "server" } } },
      },
      "npm run start",
    ],
    ["Nuxt", { "package.json": built("nuxt build", { nuxt: "4" }) }, "node .output/server/index.mjs"],
    [
      "SvelteKit",
      {
        "package.json": built("vite build", {
          svelte: "5",
          "@sveltejs/kit": "2",
          "@sveltejs/adapter-auto": "6",
          vite: "7",
        }),
      },
      "node build",
    ],
    [
      "Remix",
      { "package.json": built("remix vite:build", { "@remix-run/node": "2" }) },
      "npx remix-serve ./build/server/index.js",
    ],
    [
      "Vite behind a server of one's own",
      { "package.json": built("vite build", { vite: "7" }, { start: "node server.js" }) },
      "npm run start",
    ],
  ])("%s", async (_name, files, start) => {
    const { plan } = await planned(files);
    expect(plan.deploy.startCommand).toBe(start);
    expect(commandsOf(plan, "build")[0]).toBe("npm run build");
  });

  test("a site's image holds the site and its server, and nothing it was built with", async () => {
    const { plan } = await planned({ "package.json": built("vite build", { vite: "7" }) });
    expect(plan.deploy.inputs.at(-1)).toEqual({ step: "build", include: ["dist", ".starform"] });
  });

  test("a command of one's own leaves the server of a site in place", async () => {
    const { plan } = await planned({
      "package.json": built("vite build", { vite: "7" }),
      "starform.json": { buildCommand: "make site" },
    });
    const build = plan.steps.find(({ name }) => name === "build")!;
    expect(commandsOf(plan, "build")).toEqual(["sh -c 'make site'"]);
    expect(build.commands.at(-1)).toMatchObject({ path: ".starform/serve.mjs" });
  });

  test("Next.js standalone serves its static files too", async () => {
    const { plan } = await planned({
      "package.json": built("next build", { next: "16" }),
      "next.config.js": "module.exports = { output: 'standalone' }",
    });
    expect(commandsOf(plan, "build")[1]).toContain("cp -r .next/static .next/standalone/.next/static");
    expect(plan.deploy).toMatchObject({ variables: { HOSTNAME: "0.0.0.0" } });
    expect(plan.deploy.inputs.at(-1)).toEqual({ step: "build", include: [".next/standalone"] });
  });
});

describe("what an install sees", () => {
  const lock = { "package-lock.json": lockOf(app()) };
  const copied = (plan: Awaited<ReturnType<typeof planned>>["plan"]) =>
    plan.steps
      .find(({ name }) => name === "install")!
      .commands.flatMap((command) => ("src" in command ? [command.src] : []));

  test("is the manifests of all members, so that a change of code installs nothing", async () => {
    const { plan } = await planned({
      "package.json": app({ workspaces: ["packages/*"] }),
      ...lock,
      "packages/b/package.json": {},
      "packages/a/package.json": {},
      "packages/a/code.js": "",
      "prisma/schema.prisma": "",
    });
    expect(copied(plan)).toEqual([
      "package-lock.json",
      "package.json",
      "packages/a/package.json",
      "packages/b/package.json",
      "prisma",
    ]);
  });

  test("is the whole source where an install script runs its code", async () => {
    const { plan } = await planned({
      "package.json": { scripts: { start: "x", postinstall: "patch-package" } },
    });
    expect(plan.steps.find(({ name }) => name === "install")!.inputs).toContainEqual({
      local: true,
      include: ["."],
    });
  });
});

test("system packages are installed for those npm packages that need them at run time", async () => {
  const { plan } = await planned({
    "package.json": app({
      dependencies: { "@prisma/client": "6", sharp: "0.34" },
      devDependencies: { puppeteer: "24" },
    }),
  });
  expect(commandsOf(plan, "packages:apt:runtime")[0]).toBe(
    "sh -c 'apt-get update && apt-get install -y fontconfig fonts-dejavu-core openssl'",
  );
  expect(plan.deploy.base).toEqual({ step: "packages:apt:runtime" });
});

const vite = app({ scripts: { build: "vite build" }, devDependencies: { vite: "6" } });

test.each([
  ["a server", { "package.json": app() }],
  ["a static site", { "package.json": vite }],
  ["assets beside Ruby", { "package.json": vite, Gemfile: "", "config.ru": "" }],
])("yarn 1 and Node 26 bring the packages that they need, in %s", async (_name, files) => {
  const { plan } = await planned({ ...files, "yarn.lock": "# yarn lockfile v1\n", ".nvmrc": "26" });
  expect(commandsOf(plan, "packages:apt:build")[0]).toMatch(/ gpg .*tar'/);
  expect(commandsOf(plan, "packages:apt:runtime")[0]).toContain("libatomic1");
});

test.each([
  ["railpack.json", { "railpack.json": { deploy: { startCommand: "bun run a.ts" } } }],
  ["a Procfile", { Procfile: "web: bun a.ts" }],
])("Bun is there where %s starts the app with it", async (_name, files) => {
  const { info } = await planned({ "package.json": app(), ...files });
  expect(Object.keys(info.versions)).toEqual(["node", "bun"]);
});

test("development packages are pruned when asked for, in a step beside the build", async () => {
  const { plan } = await planned({ "package.json": app() }, { variables: { RAILPACK_PRUNE_DEPS: "1" } });
  expect(commandsOf(plan, "prune")).toEqual(["npm prune --omit=dev --ignore-scripts"]);
  expect(plan.deploy.inputs[1]).toEqual({ step: "prune", include: ["/app/node_modules"] });
});

test.each([
  ["npm", {}, ["NPM_CONFIG_INCLUDE", "dev", ""]],
  ["yarn", { "yarn.lock": "# yarn lockfile v1\n" }, ["NPM_CONFIG_INCLUDE", "dev", ""]],
  [
    "pnpm, which knows the old word only",
    { "pnpm-lock.yaml": "lockfileVersion: '9.0'\n" },
    ["NPM_CONFIG_PRODUCTION", "false", "true"],
  ],
  [
    "npm 6, which does not know the new one",
    { ".node-version": "14\n" },
    ["NPM_CONFIG_PRODUCTION", "false", "true"],
  ],
] as const)(
  "development packages are installed and pruned in words that do not make npm warn: %s",
  async (_, files, [name, installed, pruned]) => {
    const source = { "package.json": app(), ...files };
    const { plan } = await planned(source, { variables: { RAILPACK_PRUNE_DEPS: "1" } });
    const valueIn = (step: string) => plan.steps.find((one) => one.name === step)?.variables?.[name];
    expect([valueIn("install"), valueIn("prune"), plan.deploy.variables?.[name]]).toEqual([
      installed,
      pruned,
      installed,
    ]);
  },
);

test("the Next.js app of an Nx workspace is found by itself or by name", async () => {
  const next = { dependencies: { next: "16" } };
  const files = {
    "package.json": { workspaces: ["apps/*"], devDependencies: { nx: "22" } },
    "nx.json": "{}",
    "apps/shop/package.json": { name: "@a/shop", ...next },
  };
  expect((await planned(files)).plan.deploy.startCommand).toBe("cd apps/shop && next start");
  const two = { ...files, "apps/admin/package.json": { name: "@a/admin", ...next } };
  expect((await planned(two, { variables: { RAILPACK_NX_APP: "admin" } })).plan.deploy.startCommand).toBe(
    "cd apps/admin && next start",
  );
  expect((await refused(two, { variables: { RAILPACK_NX_APP: "web" } })).hint).toContain("@a/admin, @a/shop");
});

test("nothing to start names what was looked for and what to add", async () => {
  const error = await refused({ "package.json": { dependencies: {} } });
  expect(error.message).toBe("this is Node, but nothing says how to start it");
  expect(error.hint).toContain('"start"');
});

test("what is built for a browser is not started by Node", async () => {
  const files = { "src/index.js": "", "index.html": "" };
  await refused({ ...files, "package.json": { scripts: { build: "webpack" } } });
  expect((await planned({ ...files, "package.json": {} })).plan.deploy.startCommand).toBe(
    "node src/index.js",
  );
});
