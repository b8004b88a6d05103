import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { cp, mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { planSource } from "@starform/build-plan/plan-source";
import { proposeApart } from "@starform/build-plan/propose-apart";
import { openDockerEngine, requireEngineInCi } from "@starform/testkit/docker-engine";
import { openFakeKubernetes } from "@starform/testkit/kubernetes/open-fake-kubernetes";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packPublished, type Archive } from "../scripts/published-packages.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const run = promisify(execFile);
/** Another Node for what is installed, by its program: what `engines` promises is tried with it. */
const node = process.env["TEST_NODE"] ?? process.execPath;

let work: string;
/** A folder of somebody who installed the packages; nothing above it belongs to this repository. */
let consumer: string;
let archives: readonly Archive[];

beforeAll(async () => {
  work = mkdtempSync(join(tmpdir(), "starform-packages-"));
  consumer = join(work, "consumer");
  archives = await packPublished(join(work, "packages"));
  await mkdir(join(consumer, "node_modules"), { recursive: true });
  await writeFile(join(consumer, "package.json"), `{ "name": "consumer", "type": "module" }`);
  for (const { stage } of archives) await bringAlong(Object.keys(manifestAt(stage).dependencies ?? {}));
  await run("npm", ["install", "--offline", "--no-audit", "--no-fund", ...archives.map(({ path }) => path)], {
    cwd: consumer,
  });
}, 300_000);
afterAll(() => rmSync(work, { recursive: true, force: true }));

const manifestAt = (dir: string) =>
  JSON.parse(readFileSync(join(dir, "package.json"), "utf8")) as {
    name: string;
    dependencies?: Record<string, string>;
    engines?: Record<string, string>;
    exports?: Record<string, unknown>;
  };

/** The packages of others are those of the lock file, so that no registry is asked; npm checks that they will do. */
async function bringAlong(names: readonly string[]): Promise<void> {
  for (const name of names.filter((each) => !existsSync(join(consumer, "node_modules", each)))) {
    const from = join(root, "node_modules", name);
    await cp(from, join(consumer, "node_modules", name), { recursive: true });
    await bringAlong(Object.keys(manifestAt(from).dependencies ?? {}));
  }
}

/** Runs a program of the consumer's; with the environment of a person who knows nothing of this repository. */
async function program(source: string, ...args: string[]): Promise<unknown> {
  const file = join(consumer, "program.mjs");
  await writeFile(file, source);
  const { stdout } = await run(node, [file, ...args], { cwd: consumer, env: { PATH: process.env["PATH"] } });
  return JSON.parse(stdout);
}

const cli = async (program: string, file: string, words: readonly string[]) => {
  const env = { PATH: process.env["PATH"], HOME: work };
  return (await run(program, [file, ...words], { cwd: consumer, env })).stdout;
};

const express = join(root, "examples/express");

test("an archive holds what Node runs and what a person reads, no test, and nothing of this machine", () => {
  expect(archives).toHaveLength(3);
  for (const { stage, files } of archives) {
    const isExpected = /^(package\.json|README\.md|LICENSE|dist\/.+)$/;
    expect(files.filter((file) => !isExpected.test(file))).toEqual([]);
    expect(files.filter((file) => /\.test\.|(?<!\.d)\.ts$|tsconfig/.test(file))).toEqual([]);
    const ofThisMachine = files.filter((file) => {
      const text = readFileSync(join(stage, file), "utf8");
      return text.includes(root) || text.includes(work);
    });
    expect(ofThisMachine).toEqual([]);
    expect(manifestAt(stage)).not.toHaveProperty("private");
    expect(manifestAt(stage).engines).toHaveProperty("node");
  }
});

test("every path that a package exports is there, with its types", () => {
  const missing = archives.flatMap(({ stage, files }) => {
    const targets = Object.values(manifestAt(stage).exports ?? {}) as Record<string, string>[];
    return targets.flatMap(Object.values).filter((path: string) => !files.includes(path.slice(2)));
  });
  expect(missing).toEqual([]);
});

test("the installed planner plans as this repository does, in its thread too", async () => {
  const outcome = await planSource(express);
  if (!outcome.ok || outcome.kind !== "plan") throw new Error("the example is not planned");
  const said = await program(
    `import { planSource } from "@starform/build-plan/plan-source";
     import { planApart } from "@starform/build-plan/plan-apart";
     import { proposeApart } from "@starform/build-plan/propose-apart";
     const [dir, site] = process.argv.slice(2);
     console.log(JSON.stringify({
       here: await planSource(dir),
       apart: await planApart(dir),
       site: (await planSource(site)).ok,
       proposed: await proposeApart(dir),
     }));`,
    express,
    join(root, "examples/static"),
  );
  const plain = (value: unknown) => JSON.parse(JSON.stringify(value)) as unknown;
  const proposed = plain(await proposeApart(express));
  expect(said).toEqual({ here: plain(outcome), apart: plain(outcome), site: true, proposed });
});

test("the installed command line answers as this repository's does", async () => {
  const site = join(root, "examples/static");
  const installed = (...words: string[]) => cli(node, join(consumer, "node_modules/.bin/starform"), words);
  const ours = (...words: string[]) => cli(process.execPath, join(root, "apps/cli/bin/starform.ts"), words);
  for (const words of [["--version"], ["plan", express, "--json"], ["plan", site, "--json"]])
    expect(await installed(...words)).toBe(await ours(...words));
  expect(await installed("plan", site, "--json")).toContain(".starform/serve.mjs");
});

test("the installed command line has what a cluster is made of", async () => {
  await using kubernetes = await openFakeKubernetes();
  const kubeconfig = join(work, "kubeconfig.json");
  await writeFile(kubeconfig, kubernetes.kubeconfig());
  const file = join(consumer, "node_modules/.bin/starform");
  const doctor = cli(node, file, ["cluster", "doctor", "--kubeconfig", kubeconfig]);
  await expect(doctor).rejects.toMatchObject({
    code: 1,
    stdout: expect.stringContaining("Envoy Gateway: nothing of it is here") as unknown,
  });
});

test("the installed command line names whose code it carries, under which licence", () => {
  const text = readFileSync(join(consumer, "node_modules/@starform/cli/dist/bundled-licences.txt"), "utf8");
  expect(text).toMatch(/^zod \d[\d.]*, MIT$/m);
  expect(text).toMatch(/^@stricli\/core \d[\d.]*, Apache-2.0$/m);
});

test("the installed client makes BuildKit's graph", async () => {
  const said = await program(
    `import { define, exec, image } from "@starform/buildkit/llb";
     const last = exec({ base: image("node:24"), args: ["node", "--version"], env: {}, cwd: "/", name: "ask" });
     console.log(JSON.stringify(define(last).def.length));`,
  );
  expect(said).toBe(3);
});

test.skipIf(!requireEngineInCi())(
  "the installed client builds with a real engine",
  { timeout: 180_000 },
  async () => {
    await using engine = await openDockerEngine();
    const context = join(work, "context");
    await mkdir(context);
    await writeFile(join(context, "Dockerfile"), "FROM scratch\nCOPY hello /hello\n");
    await writeFile(join(context, "hello"), "hi");
    const said = await program(
      `import { buildDockerfile } from "@starform/buildkit/build-dockerfile";
       import { openBuildKit } from "@starform/buildkit/client";
       import { dockerTransport } from "@starform/buildkit/transport";
       const [socketPath, contextDir] = process.argv.slice(2);
       const client = await openBuildKit(dockerTransport(socketPath));
       const built = await buildDockerfile(client, { contextDir, dockerfilePath: "Dockerfile", tags: ["example:1"] });
       await client[Symbol.asyncDispose]();
       console.log(JSON.stringify(built));`,
      engine.socketPath,
      context,
    );
    expect(said).toMatchObject({ imageId: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) as unknown });
  },
);

test("the examples of the READMEs, and their types, hold for whoever checks strictly and skips no library", async () => {
  const blocks = archives.flatMap(({ stage }) =>
    [...readFileSync(join(stage, "README.md"), "utf8").matchAll(/^```ts\n(.*?)^```/gms)].map(
      ([, block = ""]) => block,
    ),
  );
  expect(blocks.length).toBeGreaterThanOrEqual(2);
  const files = ["everything.mts", ...blocks.map((_, at) => `readme-${at}.mts`)];
  const everything = archives.flatMap(({ stage }) => {
    const { name, exports = {} } = manifestAt(stage);
    return Object.keys(exports).map((path) => `export type {} from "${name}${path.slice(1)}";`);
  });
  expect(everything.length).toBeGreaterThan(20);
  await Promise.all(
    [everything.join("\n"), ...blocks].map((text, at) => writeFile(join(consumer, files[at]!), text)),
  );
  await bringAlong(["@types/node"]);
  const flags = [
    "--strict",
    "--noEmit",
    "--skipLibCheck",
    "false",
    "--module",
    "nodenext",
    "--types",
    "node",
  ];
  const checked = await run(join(root, "node_modules/.bin/tsc"), [...flags, "--target", "es2024", ...files], {
    cwd: consumer,
  }).catch((error: { stdout: string }) => error);
  expect(checked.stdout).toBe("");
});
