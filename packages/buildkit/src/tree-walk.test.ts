import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { walkTree, withLinkTargets } from "./tree-walk.ts";

const walked = (dir: string, include: string[] = [], exclude: string[] = []): string[] =>
  [...walkTree(dir, { include, exclude })].map(({ path }) => path);

test("names every folder before what it holds, in the order of bytes", () => {
  const dir = aTree(["b", "a/z", "a-b", "a/é", "a/Z", "😀", "\uFFFDx", "name\nwith newline"]);
  expect(walked(dir)).toEqual(["a", "a/Z", "a/z", "a/é", "a-b", "b", "name\nwith newline", "\uFFFDx", "😀"]);
});

test("a folder that was not asked for appears only above something that was", () => {
  const dir = aTree(["one/two/wanted.txt", "one/two/other", "three/four", "wanted.txt"]);
  expect(walked(dir, ["**/wanted.txt"])).toEqual(["one", "one/two", "one/two/wanted.txt", "wanted.txt"]);
  expect(walked(dir, ["one/two"], ["**/other"])).toEqual(["one", "one/two", "one/two/wanted.txt"]);
  expect(walked(dir, [], ["one", "three", "!one/two/other"])).toEqual([
    "one",
    "one/two",
    "one/two/other",
    "wanted.txt",
  ]);
});

test("links are named as links, also when they loop or lead nowhere", () => {
  const dir = aTree(["real/file"]);
  symlinkSync("..", join(dir, "real/loop"));
  symlinkSync("nowhere", join(dir, "dangling"));
  const links = [...walkTree(dir, { include: [], exclude: [] })].flatMap(({ path, linkTarget }) =>
    linkTarget ? [[path, linkTarget]] : [],
  );
  expect(links).toEqual([
    ["dangling", "nowhere"],
    ["real/loop", ".."],
  ]);
});

test("a link that is asked for brings what it leads to", () => {
  const dir = aTree(["versions/2/app.js"]);
  symlinkSync("versions/2", join(dir, "current"));
  symlinkSync("/current", join(dir, "live"));
  expect(withLinkTargets(dir, ["live/app.js"]).toSorted()).toEqual([
    "current",
    "current/app.js",
    "live",
    "live/app.js",
    "versions/2/app.js",
  ]);
  expect(withLinkTargets(dir, ["."])).toEqual([]);
});

test("sockets are left out, and told", async () => {
  const dir = aTree(["file"]);
  const server = createServer().listen(join(dir, "socket"));
  await once(server, "listening");
  const skipped: string[] = [];
  const found = [...walkTree(dir, { include: [], exclude: [], onSkipped: (path) => skipped.push(path) })];
  server.close();
  expect([found.map(({ path }) => path), skipped]).toEqual([["file"], ["socket"]]);
});

test("a name that is not valid UTF-8 is refused with the folder it is in", () => {
  const dir = aTree([]);
  writeFileSync(Buffer.concat([Buffer.from(`${dir}/bad`), Buffer.from([0xff])]), "");
  expect(() => walked(dir)).toThrow("is not valid UTF-8");
});

function aTree(files: string[]): string {
  const dir = mkdtempSync(join(tmpdir(), "starform-tree-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  for (const file of files) {
    mkdirSync(dirname(join(dir, file)), { recursive: true });
    writeFileSync(join(dir, file), file);
  }
  return dir;
}
