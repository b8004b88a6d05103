import { execFileSync } from "node:child_process";
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { Readable } from "node:stream";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { paxRecord, tarOf, type TarMember } from "../src/source/tar.ts";
import { aFolder } from "./run-starform.ts";

type Tree = Record<string, Buffer | { to: string }>;

const membersOf = (tree: Tree): TarMember[] =>
  Object.keys(tree)
    .sort()
    .map((path) => {
      const node = tree[path]!;
      return Buffer.isBuffer(node)
        ? {
            kind: "file",
            path,
            sizeBytes: node.length,
            isExecutable: false,
            bytes: () => Readable.from([node]),
          }
        : { kind: "link", path, to: node.to };
    });

function readTree(root: string, folder = ""): Tree {
  return Object.assign(
    {},
    ...readdirSync(join(root, folder)).map((name) => {
      const path = folder ? `${folder}/${name}` : name;
      const stats = lstatSync(join(root, path));
      if (stats.isDirectory()) return readTree(root, path);
      return {
        [path]: stats.isSymbolicLink()
          ? { to: readlinkSync(join(root, path)) }
          : readFileSync(join(root, path)),
      };
    }),
  ) as Tree;
}

// What a file system takes as one name: up to 255 bytes, no slash, no NUL, not a dot name.
const name = fc
  .oneof(
    fc.string({ minLength: 1, maxLength: 60, unit: "grapheme" }),
    fc.string({ minLength: 100, maxLength: 200, unit: fc.constantFrom(..."abcdef -_.") }),
  )
  .map((text) => text.replaceAll(/[/\0\\]/g, "x"))
  .filter((text) => Buffer.byteLength(text) <= 255 && text.isWellFormed() && text !== "." && text !== "..");
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => `d/${names.join("/d-")}.f`);
const node = fc.oneof(
  fc.uint8Array({ maxLength: 1_500 }).map((bytes) => Buffer.from(bytes)),
  fc.string({ minLength: 1, maxLength: 150, unit: fc.constantFrom(..."abc/é") }).map((to) => ({ to })),
);
const tree = fc.dictionary(path, node, { minKeys: 1, maxKeys: 6 }).filter((files) => {
  const paths = Object.keys(files);
  return paths.every((a) => !paths.some((b) => b.startsWith(`${a}/`)));
});

test("the system's tar unpacks what was packed, whatever the names", async () => {
  await fc.assert(
    fc.asyncProperty(tree, async (files) => {
      using folder = await aFolder("out");
      const archive = await buffer(Readable.from(tarOf(membersOf(files))));
      writeFileSync(join(folder.path, "..", "it.tar"), archive);
      execFileSync("tar", ["-xf", "../it.tar"], {
        cwd: folder.path,
        env: { ...process.env, LC_ALL: "C.UTF-8" },
      });
      expect(readTree(folder.path)).toEqual({ ...files });
    }),
    { numRuns: 25 },
  );
});

test("nothing of the machine is in an archive: the same members are the same bytes", async () => {
  const pack = () =>
    buffer(Readable.from(tarOf(membersOf({ "a.txt": Buffer.from("a"), "b/c.txt": Buffer.from("c") }))));
  expect((await pack()).equals(await pack())).toBe(true);
});

test("a pax record counts its own digits", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 1_200 }), (value) => {
      const record = paxRecord("path", value);
      expect(Number(record.split(" ", 1)[0])).toBe(Buffer.byteLength(record));
    }),
  );
});

test("folders keep their place and programs stay programs", async () => {
  using folder = await aFolder("out");
  const run: TarMember = {
    kind: "file",
    path: "bin/run",
    sizeBytes: 2,
    isExecutable: true,
    bytes: () => Readable.from([Buffer.from("hi")]),
  };
  const archive = await buffer(Readable.from(tarOf([{ kind: "folder", path: "bin" }, run])));
  mkdirSync(join(folder.path, "x"));
  execFileSync("tar", ["-xf", "-"], { cwd: join(folder.path, "x"), input: archive });
  expect(lstatSync(join(folder.path, "x/bin/run")).mode & 0o111).toBe(0o111);
});
