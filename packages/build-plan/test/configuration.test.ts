import { describe, expect, test } from "vitest";
import { printBuildPlan } from "../src/build-plan.ts";
import { planSource } from "../src/plan-source.ts";
import { commandsOf, planned, refused } from "./planned.ts";
import { sourceOf } from "./source-of.ts";

const app = { "package.json": { scripts: { start: "node .", build: "x" }, dependencies: { a: "1" } } };

describe("a Dockerfile", () => {
  test("at the root wins over everything detected", async () => {
    await using source = await sourceOf({ ...app, Dockerfile: "FROM scratch" });
    expect(await planSource(source.dir)).toMatchObject({
      ok: true,
      kind: "dockerfile",
      path: "Dockerfile",
      info: { rootDirectory: "." },
    });
  });

  test("elsewhere wins when it is configured, by the caller before starform.json", async () => {
    await using source = await sourceOf({
      ...app,
      "a/Dockerfile": "",
      "b/Dockerfile": "",
      "starform.json": { dockerfilePath: "a/Dockerfile" },
    });
    expect(await planSource(source.dir)).toMatchObject({ path: "a/Dockerfile" });
    expect(await planSource(source.dir, { dockerfilePath: "./b/Dockerfile" })).toMatchObject({
      path: "b/Dockerfile",
    });
  });

  test("that is configured but missing is refused, and builder chooses between both", async () => {
    expect((await refused(app, { dockerfilePath: "x/Dockerfile" })).message).toBe(
      "there is no x/Dockerfile in the source",
    );
    expect((await refused({ ...app, "starform.json": { builder: "dockerfile" } })).lookedFor).toEqual([
      "Dockerfile",
    ]);
    expect(
      (await planned({ ...app, Dockerfile: "", "starform.json": { builder: "railpack" } })).info.providers,
    ).toEqual(["node"]);
  });
});

describe("starform.json", () => {
  test("gives commands of one's own in place of the detected ones", async () => {
    const { plan } = await planned({
      ...app,
      "starform.json": {
        installCommand: "npm i",
        buildCommand: "make && echo 'done'",
        startCommand: "./run",
      },
    });
    expect(commandsOf(plan, "install")).toEqual(["sh -c 'npm i'"]);
    expect(commandsOf(plan, "build")).toEqual([`sh -c 'make && echo '\\''done'\\'''`]);
    expect(plan.deploy.startCommand).toBe("./run");
  });

  test("names the root directory, and the one in it holds for the app", async () => {
    await using source = await sourceOf({
      "starform.json": { rootDirectory: "apps/web", startCommand: "outer" },
      "apps/web/index.html": "",
      "apps/web/starform.json": { startCommand: "inner" },
    });
    expect(await planSource(source.dir)).toMatchObject({
      plan: { deploy: { startCommand: "inner" } },
      info: { rootDirectory: "apps/web" },
    });
  });

  test("that is broken stops the plan with the key's name", async () => {
    expect((await refused({ ...app, "starform.json": { buildComand: "x" } })).message).toContain(
      "buildComand is not a key here; did you mean buildCommand?",
    );
    expect((await refused({ ...app, "starform.json": "{" })).message).toContain("not valid JSON");
  });
});

describe("railpack.json", () => {
  test("adds to what is generated where it says ..., and replaces it where it does not", async () => {
    const { plan } = await planned({
      ...app,
      "railpack.json": `{
        // as people write it
        "packages": { "python": "3.12" },
        "buildAptPackages": ["...", "git"],
        "caches": { "mine": { "directory": "/cache" } },
        "steps": {
          "install": { "commands": ["...", "echo after"], "caches": ["...", "mine"] },
          "build": { "commands": ["./build.sh"], "variables": { "A": "1" } },
          "extra": { "inputs": [{ "step": "build" }], "commands": ["./extra.sh"], "deployOutputs": [{ "include": ["out"] }] },
        },
        "deploy": { "aptPackages": ["curl"], "variables": { "B": "2" }, "paths": ["...", "/app/bin"], "startCommand": "./start" },
      }`,
    });
    expect(commandsOf(plan, "install")).toEqual(["npm install", "sh -c 'echo after'"]);
    expect(commandsOf(plan, "build")).toEqual(["sh -c './build.sh'"]);
    expect(commandsOf(plan, "packages:apt:build")[0]).toContain("install -y git");
    expect(commandsOf(plan, "packages:apt:runtime")[0]).toContain("install -y curl");
    expect(plan.steps.find(({ name }) => name === "install")!.caches).toEqual(["npm-install", "mine"]);
    expect(plan.steps.find(({ name }) => name === "packages:mise")!.assets["generated-mise-toml"]).toContain(
      'python = "3.12"',
    );
    expect(plan.deploy.inputs).toContainEqual({ step: "extra", include: ["out"] });
    expect(plan.deploy).toMatchObject({
      startCommand: "./start",
      variables: { B: "2", NODE_ENV: "production" },
      paths: ["/app/node_modules/.bin", "/app/bin"],
    });
  });

  test("chooses the provider, and one that does not exist or fit is refused", async () => {
    const both = { ...app, "index.html": "" };
    expect((await planned({ ...both, "railpack.json": { provider: "staticfile" } })).info.providers).toEqual([
      "staticfile",
    ]);
    expect((await planned({ ...both, "railpack.json": { provider: "Node" } })).info.providers).toEqual([
      "node",
    ]);
    expect((await refused({ ...both, "railpack.json": { provider: "cobol" } })).hint).toContain("staticfile");
    expect((await refused({ ...both, "railpack.json": { provider: "ruby" } })).lookedFor).toEqual([
      "Gemfile",
    ]);
  });

  test("chooses what of a step of its own reaches the image by the deploy's inputs, or by the step's outputs", async () => {
    const inputsOf = async (extra: object, inputs: unknown[]) => {
      const file = { steps: { extra: { inputs: [{ step: "build" }], commands: ["./x"], ...extra } } };
      const { plan } = await planned({ ...app, "railpack.json": { ...file, deploy: { inputs } } });
      return plan.deploy.inputs.filter((layer) => "step" in layer && layer.step === "extra");
    };
    const out = { step: "extra", include: ["out"] };
    expect(await inputsOf({}, ["..."])).toEqual([{ step: "extra", include: ["."] }]);
    expect(await inputsOf({}, ["...", out])).toEqual([out]);
    expect(await inputsOf({ deployOutputs: [{ include: ["dist"] }] }, [out])).toEqual([
      out,
      { step: "extra", include: ["dist"] },
    ]);
  });

  test("with an unknown key, or commands for the tools' own step, is refused with its place", async () => {
    const ofTools = { steps: { "packages:mise": { commands: ["x"] } } };
    expect((await refused({ ...app, "railpack.json": ofTools })).message).toContain("packages:mise");
    expect(
      (await refused({ ...app, "railpack.json": { steps: { build: { command: "x" } } } })).message,
    ).toContain("steps.build");
  });
});

describe("RAILPACK_* variables", () => {
  test("steer the plan and win over the files", async () => {
    const { plan, info } = await planned(
      {
        ...app,
        "railpack.json": { deploy: { startCommand: "file" } },
        "starform.json": { startCommand: "starform" },
      },
      {
        variables: {
          RAILPACK_START_CMD: "variable",
          RAILPACK_BUILD_CMD: "make",
          RAILPACK_INSTALL_CMD: "npm i",
          RAILPACK_PACKAGES: "jq@1.7 node@20",
          RAILPACK_BUILD_APT_PACKAGES: "git make",
          RAILPACK_DEPLOY_APT_PACKAGES: "curl",
        },
      },
    );
    expect([plan.deploy.startCommand, commandsOf(plan, "build")[0], commandsOf(plan, "install")[0]]).toEqual([
      "variable",
      "sh -c 'make'",
      "sh -c 'npm i'",
    ]);
    expect(info.versions).toMatchObject({ jq: { version: "1.7" }, node: { version: "20" } });
    expect(commandsOf(plan, "packages:apt:build")[0]).toContain("git make");
    expect(commandsOf(plan, "packages:apt:runtime")[0]).toContain("curl");
  });

  test("add Debian packages to those of railpack.json", async () => {
    const { plan, info } = await planned(
      { ...app, "railpack.json": { buildAptPackages: ["git"], deploy: { aptPackages: ["ffmpeg"] } } },
      { variables: { RAILPACK_BUILD_APT_PACKAGES: "make", RAILPACK_DEPLOY_APT_PACKAGES: "curl" } },
    );
    expect(commandsOf(plan, "packages:apt:build")[0]).toContain("install -y git make");
    expect(commandsOf(plan, "packages:apt:runtime")[0]).toContain("install -y curl ffmpeg");
    const told = info.decisions.filter(({ what }) => /^install (git|make) /.test(what));
    expect(told.map(({ reason }) => reason)).toEqual([
      "because railpack.json asks for them",
      "because RAILPACK_BUILD_APT_PACKAGES asks for them",
    ]);
  });

  test("give an install of one's own every secret, unless railpack.json says which", async () => {
    const variables = { RAILPACK_INSTALL_CMD: "make deps", TOKEN: "a" };
    const secretsOf = async (files: object) =>
      (await planned({ ...app, ...files }, { variables })).plan.steps.find(({ name }) => name === "install")!
        .secrets;
    expect(await secretsOf({})).toEqual(["*"]);
    expect(await secretsOf({ "railpack.json": { steps: { install: { secrets: ["TOKEN"] } } } })).toEqual([
      "TOKEN",
    ]);
  });

  test("name another configuration file, and switch caches off", async () => {
    const files = { ...app, "other.json": { deploy: { startCommand: "other" } } };
    expect(
      (await planned(files, { variables: { RAILPACK_CONFIG_FILE: "other.json" } })).plan.deploy.startCommand,
    ).toBe("other");
    expect((await refused(files, { variables: { RAILPACK_CONFIG_FILE: "none.json" } })).message).toContain(
      "none.json",
    );
    const { plan } = await planned(app, { variables: { RAILPACK_DISABLE_CACHES: "npm-install" } });
    expect(Object.keys(plan.caches)).toEqual(["node-modules"]);
    expect(
      (await planned(app, { variables: { RAILPACK_DISABLE_CACHES: "*" } })).plan.steps.flatMap(
        ({ caches }) => caches,
      ),
    ).toEqual([]);
  });
});

test("the plan holds the names of all variables and the value of none", async () => {
  const { plan, info } = await planned(app, {
    variables: { TOKEN: "s3cret-value", NPM_TOKEN: "an0ther-value" },
  });
  expect(plan.secrets).toEqual(["NPM_TOKEN", "TOKEN"]);
  expect(plan.steps.find(({ name }) => name === "install")!.secrets).toEqual(["NPM_TOKEN"]);
  expect(plan.steps.find(({ name }) => name === "build")!.secrets).toEqual(["*"]);
  expect(printBuildPlan(plan) + JSON.stringify(info)).not.toMatch(/s3cret|an0ther/);
});

test("secrets of railpack.json come after the variables' names and take none away", async () => {
  const secretsOf = async (secrets: string[]) => {
    const files = { ...app, "railpack.json": { secrets } };
    return (await planned(files, { variables: { NPM_TOKEN: "a", TOKEN: "b" } })).plan.secrets;
  };
  expect(await secretsOf(["TOKEN"])).toEqual(["NPM_TOKEN", "TOKEN"]);
  expect(await secretsOf(["...", "OTHER", "TOKEN"])).toEqual(["NPM_TOKEN", "TOKEN", "OTHER"]);
});

test("what .dockerignore leaves out is left out", async () => {
  const { plan } = await planned({ ...app, ".dockerignore": "# notes\n*.md\n\n!README.md\n" });
  expect(plan.exclude).toEqual(["*.md", "!README.md", "**/node_modules"]);
});
