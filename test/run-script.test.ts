import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "starform-run-"));
  const source = `const words: string[] = process.argv.slice(2);
    if (words[0] === "exit") process.exit(7);
    process.on("SIGTERM", () => setTimeout(() => { console.log("closed in order"); process.exit(0); }, 50));
    setInterval(() => undefined, 1_000);
    console.log(JSON.stringify({ words, major: Number(process.versions.node.split(".")[0]), pid: process.pid }));`;
  writeFileSync(join(dir, "program.ts"), source);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const run = (shell: boolean, ...args: string[]) => {
  const script = relative(root, join(dir, "program.ts"));
  const words = ["scripts/run.mjs", script, ...args];
  const env = { ...process.env, npm_lifecycle_event: "start" };
  const child = shell
    ? spawn("sh", ["-c", `"${process.execPath}" ${words.join(" ")}; exit $?`], { cwd: root, env })
    : spawn(process.execPath, words, { cwd: root, env });
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const line = async (text: string) => {
    while (!said.includes(text)) await once(child.stdout, "data");
    return said;
  };
  return { child, line };
};

test("a script gets its arguments, runs on Node 24 or later, and its exit code is the command's", async () => {
  const { child, line } = run(false, "a", "b-c");
  expect(JSON.parse(await line("}"))).toMatchObject({ words: ["a", "b-c"] });
  child.kill("SIGTERM");
  await once(child, "exit");
  const [code] = (await once(run(false, "exit").child, "exit")) as [number];
  expect(code).toBe(7);
});

test("a stop reaches the script and is waited for, even through a shell that ends without passing it on", async () => {
  for (const shell of [false, true]) {
    const { child, line } = run(shell);
    expect(JSON.parse(await line("}")).major).toBeGreaterThanOrEqual(24);
    child.kill("SIGTERM");
    expect(await line("closed in order")).toContain("closed in order");
  }
});

test("npm run --silent leaves the JSON alone; without it the object is the last line", async () => {
  const npm = async (...flags: string[]) => {
    const words = ["run", ...flags, "status", "--", "--json", "--data-dir", join(dir, "none")];
    const child = spawn("npm", words, { cwd: root, env: { ...process.env, npm_config_loglevel: undefined } });
    let out = "";
    child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
    await once(child, "close");
    return out.trim();
  };
  const alone = JSON.parse(await npm("--silent")) as object;
  expect(alone).toMatchObject({ running: false });
  expect(JSON.parse((await npm()).split("\n").at(-1) ?? "")).toEqual(alone);
});
