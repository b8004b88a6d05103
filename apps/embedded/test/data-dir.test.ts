import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openDataDir } from "../src/data-dir/data-dir.ts";
import { installDebianPackages } from "../src/debian-packages.ts";
import { aPlatformFolder } from "./a-program.ts";

test("a full disk is told with what is free, what is needed and the way out, and the folder is free again", async () => {
  using folder = aPlatformFolder();
  const open = (freeMb: number) =>
    openDataDir(folder.path, { isFresh: false, freeBytes: () => freeMb * 2 ** 20 });
  await expect(open(12)).rejects.toThrow(/disk of .* is full \(12 MB free, 300 MB needed\).*--data-dir/);
  (await open(4_000))[Symbol.dispose]();
});

test("a data directory is held by one at a time, also within one process", async () => {
  using folder = aPlatformFolder();
  using _first = await openDataDir(folder.path, { isFresh: false });
  await expect(openDataDir(folder.path, { isFresh: false })).rejects.toThrow(/already runs in .*npm stop/);
});

test("a place that cannot be a data directory is refused with the reason", async () => {
  using folder = aPlatformFolder();
  const file = join(folder.path, "file");
  writeFileSync(file, "");
  await expect(openDataDir(join(file, "data"), { isFresh: false })).rejects.toThrow(
    /Cannot make .*--data-dir/,
  );
});

test("--fresh empties what Starform made and keeps nothing of it", async () => {
  using folder = aPlatformFolder();
  (await openDataDir(folder.path, { isFresh: false }))[Symbol.dispose]();
  mkdirSync(join(folder.path, "images/old"), { recursive: true });
  writeFileSync(join(folder.path, "run/old.json"), "");
  using dataDir = await openDataDir(folder.path, { isFresh: true });
  expect([readdirSync(join(folder.path, "images")), readdirSync(dataDir.runDir)]).toEqual([[], ["lock"]]);
});

test("a start that is refused deletes nothing, --fresh or not, and leaves no folder that was not there", async () => {
  using folder = aPlatformFolder();
  const at = join(folder.path, "new/data");
  const refuse = () => Promise.reject(new Error("a port is in use"));
  for (const isFresh of [false, true])
    await expect(openDataDir(at, { isFresh, refuse })).rejects.toThrow("a port is in use");
  expect(readdirSync(folder.path)).not.toContain("new");
  (await openDataDir(at, { isFresh: false }))[Symbol.dispose]();
  writeFileSync(join(at, "secrets/owner-token"), "token");
  writeFileSync(join(at, "run/old.json"), "");
  await expect(openDataDir(at, { isFresh: true, refuse })).rejects.toThrow("a port is in use");
  expect([readdirSync(join(at, "secrets")), readdirSync(join(at, "run"))]).toEqual([
    ["owner-token"],
    ["old.json"],
  ]);
});

test("with --no-system-packages nothing is installed, and what is missing is told with what it is for", async () => {
  const said: string[] = [];
  const wanted = [
    { name: "sh-package", program: "sh", why: "a shell" },
    { name: "no-such-package", program: "no-such-program", why: "this test" },
  ];
  const missing = await installDebianPackages(wanted, {
    purpose: "tests",
    isForbidden: true,
    say: (line) => said.push(line),
  });
  expect(missing).toEqual(["no-such-package"]);
  expect(said).toEqual([
    "- Without no-such-package (this test): --no-system-packages forbids installing them",
  ]);
});
