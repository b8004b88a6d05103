import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { digestTree } from "../src/adapters/process-builder/tree-digest.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), "starform-tree-"));
  await mkdir(path.join(dir, "app/tools/node"), { recursive: true });
  await writeFile(path.join(dir, "app/tools/node/bin"), "node");
  await writeFile(path.join(dir, "app/server.js"), "serve()");
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const app = () => path.join(dir, "app");
const known = async () => new Map([["tools/node", await digestTree(path.join(dir, "app/tools/node"))]]);

test("a tree that is known counts with its digest, its size and its files, and is not read again", async () => {
  const trees = await known();
  const before = await digestTree(app(), { known: trees });
  expect(before).toMatchObject({ sizeBytes: 11, files: 2 });
  await writeFile(path.join(app(), "tools/node/bin"), "edon");
  expect(await digestTree(app(), { known: trees })).toEqual(before);
});

test("another tree in the same place is another digest, and so is another file beside it", async () => {
  const before = await digestTree(app(), { known: await known() });
  await writeFile(path.join(app(), "tools/node/bin"), "edon");
  const other = await digestTree(app(), { known: await known() });
  await writeFile(path.join(app(), "server.js"), "serve(2)");
  const third = await digestTree(app(), { known: await known() });
  expect(new Set([before.hex, other.hex, third.hex]).size).toBe(3);
});
