import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { commandTable } from "../src/commands/command-table.ts";
import { openApplication } from "../src/main.ts";
import { rootHelp } from "../src/root-help.ts";
import { version } from "../src/version.ts";
import { aFolder, starform } from "./run-starform.ts";

const run = async (...words: string[]) => {
  using folder = await aFolder("shop");
  return starform(words, { cwd: folder.path });
};

test("an unknown command is exit 2 with the nearest that exists", async () => {
  expect(await run("deploymnts")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("deployments") as string,
  });
});

test("an unknown flag is exit 2 with the nearest that exists", async () => {
  expect(await run("up", "--detahc")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("--detach") as string,
  });
});

test("a wrong value is exit 2", async () => {
  expect((await run("scale", "many")).code).toBe(2);
  expect((await run("up", "--type", "website")).code).toBe(2);
  expect((await run("logs", "--build", "--http")).code).toBe(2);
  for (const since of ["yesterday", "99999999999d", "1.2.3h", "0.0001e9d"]) {
    const refused = await run("logs", "--since", since);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining(`"${since}" is no time`)]);
  }
});

test("every command and every verb tells what it does, and takes the global flags", async () => {
  const paths: string[][] = [];
  for (const name of Object.keys(commandTable)) {
    const { root } = await openApplication([name]);
    const target = "getRoutingTargetForInput" in root ? root.getRoutingTargetForInput(name) : undefined;
    const verbs =
      target && "getAllEntries" in target ? target.getAllEntries().map((entry) => entry.name.original) : [];
    paths.push(...(verbs.length > 0 ? verbs.map((verb) => [name, verb]) : [[name]]));
  }
  expect(paths.length).toBeGreaterThan(45);
  for (const path of paths) {
    const { code, stdout } = await run(...path, "--help");
    expect({ path, code, hasFlags: stdout.includes("--environment") }).toEqual({
      path,
      code: 0,
      hasFlags: true,
    });
  }
});

test("the first page names every command", async () => {
  const { code, stdout } = await run("--help");
  expect(code).toBe(0);
  const shown = Object.entries(commandTable).filter(([, { isHidden }]) => !isHidden);
  for (const [name, { brief }] of shown) expect(stdout).toContain(`${name.padEnd(14)}${brief}`);
  expect(rootHelp()).toBe(stdout);
});

test("-V is the package's version", async () => {
  const { version: released } = JSON.parse(
    readFileSync(new URL("../package.json", import.meta.url), "utf8"),
  ) as { version: string };
  expect(version).toBe(released);
  expect((await run("-V")).stdout.trim()).toBe(released);
});

test("completion proposes commands, verbs and flags", async () => {
  const proposals = async (...words: string[]) =>
    (await run("__complete", ...words)).stdout.split("\n").map((line) => line.split("\t")[0]);
  expect(await proposals("depl")).toContain("deployments");
  expect(await proposals("variables", "s")).toContain("set");
  expect(await proposals("up", "--de")).toContain("--detach");
  for (const shell of ["bash", "zsh", "fish"])
    expect((await run("completion", shell)).stdout).toContain(" __complete ");
});
