import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { sourceLimits } from "@starform/contract/source-limits";
import { expect, test } from "vitest";
import { dockerIgnore } from "../src/source/docker-ignore.ts";
import { walkFolder } from "../src/source/walk-folder.ts";
import { aFolder } from "./run-starform.ts";

const kept = async (files: Record<string, string>, sub = ""): Promise<string[]> => {
  using folder = await aFolder("shop", files);
  const entries = await walkFolder(join(folder.path, sub), sourceLimits);
  return entries.filter(({ kind }) => kind === "file").map(({ path }) => path);
};

test("ignore files are read as Git reads them: the nearer file and the later line win", async () => {
  const found = await kept({
    ".gitignore": "*.log\n/dist\n!keep.log\n",
    ".starformignore": "secret.txt\n!dist\n",
    "a.log": "",
    "keep.log": "",
    "dist/x.js": "",
    "secret.txt": "",
    "lib/.gitignore": "!b.log\n/tmp\n",
    "lib/b.log": "",
    "lib/tmp/y": "",
    "node_modules/z/index.js": "",
    ".git/HEAD": "",
    "app.js": "",
  });
  expect(found).toEqual([
    ".gitignore",
    ".starformignore",
    "app.js",
    "dist/x.js",
    "keep.log",
    "lib/.gitignore",
    "lib/b.log",
  ]);
});

test("in a repository the ignore files above the folder count too, unless they ignore the folder itself", async () => {
  const files = {
    ".git/HEAD": "",
    ".gitignore": "*.tmp\n/built\n",
    "web/a.tmp": "",
    "web/b.js": "",
    "built/c.tmp": "",
  };
  expect(await kept(files, "web")).toEqual(["b.js"]);
  expect(await kept(files, "built")).toEqual(["c.tmp"]);
});

test(".dockerignore is read as Docker reads it, and never takes what a build needs", () => {
  const rules = dockerIgnore("*\n!src\nsrc/**/*.test.js\n# note\n./tmp/\nfoo?.txt\n");
  const ignored = (path: string) => rules.ignores(path);
  expect(["README.md", "lib/x", "src/a/b.test.js", "tmp/x"].map(ignored)).toEqual([true, true, true, true]);
  expect(["src/a.js", "Dockerfile", ".dockerignore"].map(ignored)).toEqual([false, false, false]);
  expect(dockerIgnore("node_modules\n").ignores("web/node_modules/x")).toBe(false);
  expect(dockerIgnore("**/node_modules\n").ignores("web/node_modules/x")).toBe(true);
});

test("what Docker takes back from an ignored folder is sent", async () => {
  const found = await kept({
    ".dockerignore": "*\n!src/app.js\n",
    "src/app.js": "",
    "src/other.js": "",
    "x.js": "",
  });
  expect(found).toEqual([".dockerignore", "src/app.js"]);
});

test("an empty folder is not part of a source, as in Git", async () => {
  using folder = await aFolder("shop", { "a.js": "" });
  mkdirSync(join(folder.path, "empty/deep"), { recursive: true });
  expect(await walkFolder(folder.path, sourceLimits)).toEqual([
    { kind: "file", path: "a.js", sizeBytes: 0, isExecutable: false },
  ]);
});
