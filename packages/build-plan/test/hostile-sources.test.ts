import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir, symlink, truncate, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import path from "node:path";
import { expect, test } from "vitest";
import { planSource } from "../src/plan-source.ts";
import { strangeCases, writeCase } from "./hostile-cases.ts";
import { refused } from "./planned.ts";
import { sourceOf } from "./source-of.ts";

const app = { "package.json": { scripts: { start: "node index.js" } }, "index.js": "" };
const planOf = async (dir: string) => {
  const outcome = await planSource(dir);
  if (!outcome.ok) throw new Error(outcome.error.message);
  return outcome;
};

test("an empty folder is told what to add", async () => {
  const error = await refused({});
  expect(error.message).toBe("the source is empty");
  expect(error.lookedFor).toEqual(expect.arrayContaining(["Dockerfile", "package.json", "Procfile"]));
});

test("a folder that does not exist, and a file in its place, are refused by name", async () => {
  await using source = await sourceOf({ file: "" });
  for (const dir of [path.join(source.dir, "nowhere"), path.join(source.dir, "file")]) {
    expect(await planSource(dir)).toMatchObject({
      ok: false,
      error: { message: expect.stringContaining("is not a folder") },
    });
  }
});

test("a source of gigabytes is planned without reading it", async () => {
  await using source = await sourceOf(app);
  await writeFile(path.join(source.dir, "video.bin"), "");
  await truncate(path.join(source.dir, "video.bin"), 3 * 1024 ** 3);
  const before = process.memoryUsage().rss;
  expect((await planOf(source.dir)).info.providers).toEqual(["node"]);
  expect(process.memoryUsage().rss - before).toBeLessThan(300 * 1024 ** 2);
});

test("what describes an app is not read beyond its bound, however large the file is", async () => {
  for (const [name, said] of [
    ["Procfile", "Procfile is 100 MB"],
    ["railpack.json", "railpack.json is 100 MB"],
    ["starform.json", "it is larger than 256 KB"],
    [".dockerignore", ".dockerignore is 100 MB"],
  ] as const) {
    await using source = await sourceOf({ ...app, [name]: "" });
    await truncate(path.join(source.dir, name), 100 * 1024 ** 2);
    const read = bytesRead();
    const outcome = await planSource(source.dir);
    expect(outcome).toMatchObject({ ok: false, error: { message: expect.stringContaining(said) } });
    expect(bytesRead() - read).toBeLessThan(16 * 1024 ** 2);
  }
});

test("keys that are the language's own change nothing", async () => {
  await using source = await sourceOf({});
  writeCase(source.dir, strangeCases["keys that are the language's own"]!);
  expect(JSON.stringify(await planOf(source.dir))).not.toContain("stolen");
});

/** What this process has read of files since it began: work that no busy machine changes. */
const bytesRead = (): number => Number(/^rchar: (\d+)/m.exec(readFileSync("/proc/self/io", "utf8"))![1]);

test("sockets, pipes, link loops, dangling links and links out of the tree are passed over", async () => {
  await using source = await sourceOf(app);
  const at = (name: string) => path.join(source.dir, name);
  await using server = createServer();
  await new Promise<void>((resolve) => server.listen(at("socket"), resolve));
  execFileSync("mkfifo", [at("Procfile")]);
  await symlink("loop-b", at("loop-a"));
  await symlink("loop-a", at("loop-b"));
  await mkdir(at("folder"));
  await symlink("..", at("folder/up"));
  await symlink("/etc/passwd", at("requirements.txt"));
  await symlink("nowhere", at("Dockerfile"));
  expect(await planOf(source.dir)).toMatchObject({ kind: "plan", info: { providers: ["node"] } });
});

test("a starform.json that is a pipe or points out of the source is not read", async () => {
  await using source = await sourceOf({ ...app, "secret/outside.json": '"s3cret"' });
  await mkdir(path.join(source.dir, "a"));
  await mkdir(path.join(source.dir, "b"));
  execFileSync("mkfifo", [path.join(source.dir, "a/starform.json")]);
  await symlink("../secret/outside.json", path.join(source.dir, "b/starform.json"));
  for (const folder of ["a", "b"]) {
    const outcome = await planSource(path.join(source.dir, folder));
    expect(JSON.stringify(outcome)).not.toContain("s3cret");
    expect(outcome).toMatchObject({
      ok: false,
      error: { lookedFor: expect.arrayContaining(["package.json"]) },
    });
  }
});

test("names with line breaks are passed over and said", async () => {
  await using source = await sourceOf({ ...app, "a\nb/package.json": "{", "c\rd": "" });
  const { info } = await planOf(source.dir);
  expect(info.decisions.map(({ what }) => what).join()).toContain("line breaks");
});

test("broken JSON is named with its place", async () => {
  expect((await refused({ "package.json": '{"scripts": {' })).message).toMatch(
    /^package.json is not valid JSON: .*position 13/,
  );
  expect((await refused({ "package.json": "[]" })).message).toBe("package.json does not hold a JSON object");
  expect((await refused({ "package.json": '"'.repeat(10_001) })).message).toContain("not valid JSON");
});

test("unclosed comments without end do not make reading slow", async () => {
  for (const piece of ["/*", "//", ",", "[", '"a"', "/* */,"]) {
    const error = await refused({ "package.json": piece.repeat(Math.floor(1_900_000 / piece.length)) });
    expect(error.message).toContain("package.json");
  }
}, 30_000);

test("a package.json of 50 MB is refused without reading it", async () => {
  const error = await refused({ "package.json": " ".repeat(50 * 1024 ** 2) });
  expect(error.message).toBe("package.json is 50 MB; a file that describes an app may be 2 MB at most");
});

test("a YAML bomb is refused", async () => {
  const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"];
  for (let i = 1; i < 30; i++)
    lines.push(`a${i}: &a${i} [${Array.from({ length: 9 }, () => `*a${i - 1}`).join(", ")}]`);
  const files = { "package.json": {}, "pnpm-workspace.yaml": lines.join("\n") };
  expect((await refused(files)).message).toMatch(/^pnpm-workspace.yaml is not valid YAML: .*alias/i);
});

test("YAML and TOML nested without end are refused", async () => {
  const deep = "[".repeat(100_000);
  expect(
    (await refused({ "package.json": {}, "pnpm-workspace.yaml": `packages: ${deep}` })).message,
  ).toContain("pnpm-workspace.yaml is not valid YAML");
  expect((await refused({ "pyproject.toml": `a = ${deep}`, "uv.lock": "" })).message).toContain(
    "pyproject.toml is not valid TOML",
  );
}, 30_000);

test("invalid UTF-8 is named", async () => {
  expect((await refused({ "package.json": Buffer.from([0x7b, 0xff, 0xfe, 0x7d]) })).message).toBe(
    "package.json is not UTF-8 text",
  );
  await using source = await sourceOf(app);
  await writeFile(Buffer.concat([Buffer.from(`${source.dir}/`), Buffer.from([0xff, 0xfe])]), "");
  expect((await planOf(source.dir)).info.providers).toEqual(["node"]);
});

test("a root directory outside of the source is refused", async () => {
  await using source = await sourceOf({ "app/index.html": "" });
  await symlink("/etc", path.join(source.dir, "app/out"));
  for (const rootDirectory of ["../", "app/../../", "app/out", "/etc"]) {
    expect(await planSource(source.dir, { rootDirectory })).toMatchObject({ ok: false });
  }
});

test("a workspace pattern made to be slow is not", async () => {
  const files = Object.fromEntries(
    Array.from({ length: 200 }, (_, i) => [`packages/${"a".repeat(60)}${i}/package.json`, {}]),
  );
  const pattern = `packages/${"*a".repeat(100)}b`;
  const error = await refused({
    ...files,
    "package.json": { workspaces: Array.from({ length: 50 }, () => pattern) },
  });
  expect(error.message).toContain("nothing says how to start it");
});

test("a folder of more entries than a person makes is not looked into", async () => {
  await using source = await sourceOf({ ...app, "many/0": "" });
  await Promise.all(
    Array.from({ length: 10_050 }, (_, i) => writeFile(path.join(source.dir, "many", `f${i}`), "")),
  );
  expect((await planOf(source.dir)).info.decisions.map(({ what }) => what).join()).toContain(
    "were not looked into",
  );
}, 60_000);
