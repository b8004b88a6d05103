import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { until } from "@starform/std/retry";
import { expect, onTestFinished, test } from "vitest";
import { railpackPlanner, type RailpackOptions } from "../src/adapters/railpack/railpack-planner.ts";
import { commandLines } from "./builder-engine.ts";

const program = fileURLToPath(new URL("fixtures/railpack/railpack", import.meta.url));
const searchPath = `${path.dirname(process.execPath)}:/usr/bin:/bin`;
const planner = (more: Partial<RailpackOptions> = {}) => railpackPlanner({ program, searchPath, ...more });

async function aSource(files: Record<string, string>): Promise<string> {
  const dir = await mkdtemp(path.join(tmpdir(), "railpack-source-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(dir, name)), { recursive: true });
    await writeFile(path.join(dir, name), text);
  }
  return dir;
}

test("the program's plan is taken as it is, with what it found and the frontend of its own version", async () => {
  const dir = await aSource({ "commands.txt": "npm ci\nnpm run build" });
  const outcome = await planner()(dir, { variables: { TOKEN: "hush", RAILPACK_START_CMD: "node ." } });
  expect(outcome).toMatchObject({
    ok: true,
    kind: "plan",
    frontend: "ghcr.io/railwayapp/railpack-frontend:v0.37.0",
    plan: {
      secrets: ["RAILPACK_START_CMD", "TOKEN"],
      steps: [{ name: "build", caches: ["npm-install"] }],
      deploy: { startCommand: "node ." },
    },
    info: {
      providers: ["node"],
      versions: { node: { version: "22.20.0", reason: "package.json > engines > node (>=22)" } },
      rootDirectory: ".",
    },
  });
  if (!outcome.ok) return;
  expect(outcome.info.decisions.map(({ reason }) => reason)).toEqual([
    expect.stringContaining("Railpack 0.37.0 planned this"),
    "Found workspace with 2 packages",
  ]);
});

test("the operator's frontend image wins, and a folder of the source is planned by itself", async () => {
  const dir = await aSource({ "apps/web/commands.txt": "true" });
  const outcome = await planner({ frontend: "registry.test/frontend:1" })(dir, { rootDirectory: "apps/web" });
  expect(outcome).toMatchObject({
    frontend: "registry.test/frontend:1",
    info: { rootDirectory: "apps/web" },
  });
});

test("a Dockerfile wins over the program as it does over our own planner", async () => {
  const dir = await aSource({ Dockerfile: "FROM scratch\n", "commands.txt": "true" });
  expect(await planner()(dir)).toMatchObject({ ok: true, kind: "dockerfile" });
});

test("what the program cannot plan is refused in its words", async () => {
  const dir = await aSource({ "notes.txt": "milk" });
  expect(await planner()(dir)).toMatchObject({
    ok: false,
    error: {
      message: "Railpack could not determine how to build the app",
      hint: expect.stringContaining("Dockerfile"),
    },
  });
});

test("no value of a variable is on the program's command line but its own ones'", async () => {
  const dir = await aSource({ hang: "1", "commands.txt": "true" });
  const variables = { TOKEN: "hush-and-tell", RAILPACK_X: "told" };
  const own = async () => (await commandLines()).find((line) => line.includes(dir));
  const seen = (async () => {
    await until("it runs", async () => (await own()) !== undefined);
    return own();
  })();
  await expect(planner({ timeoutMs: 5_000 })(dir, { variables })).rejects.toThrow(
    /railpack took longer than 5 s/,
  );
  expect(await seen).toContain("RAILPACK_X=told");
  expect(await seen).not.toContain("hush-and-tell");
  await until("nothing of it runs", async () => (await own()) === undefined);
});

test("a build that is cancelled ends the program and all that it started", async () => {
  const dir = await aSource({ hang: "1", "commands.txt": "true" });
  const cancelled = new AbortController();
  const own = async () => (await commandLines()).some((line) => line.includes(dir));
  const planning = planner()(dir, {}, cancelled.signal);
  await until("it runs", own);
  cancelled.abort(new Error("cancelled"));
  await expect(planning).rejects.toThrow("cancelled");
  await until("nothing of it runs", async () => !(await own()));
});

test("a program that says to try later, one that breaks, and one that is not there, are the platform's fault", async () => {
  const files = { "commands.txt": "true" };
  await expect(planner()(await aSource({ ...files, "try-later": "1" }))).rejects.toThrow(/says to try again/);
  await expect(planner()(await aSource({ ...files, crash: "1" }))).rejects.toThrow(/railpack ended with 1/);
  const none = planner({ program: "no-such-railpack" });
  await expect(none(await aSource(files))).rejects.toThrow(/no-such-railpack is not on this machine/);
});
