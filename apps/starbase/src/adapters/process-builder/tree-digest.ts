import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { chmod, lstat, readFile, readdir, readlink } from "node:fs/promises";
import path from "node:path";
import { stop } from "./build-stopped.ts";

export type TreeDigest = { readonly hex: string; readonly sizeBytes: number; readonly files: number };
/** Trees whose digest is known and that nobody writes to any more, by the folder they stand in. */
export type KnownTrees = ReadonlyMap<string, TreeDigest>;

/** Files read at once: enough to keep a disk busy, few enough to leave the process answering. */
const atOnce = 12;
const wholeBytesMax = 4 * 2 ** 20;

/**
 * SHA-256 over a tree: paths, kinds, whether a file may be executed, contents, targets of links; in an order that
 * does not depend on the file system, and without times and owners, so that equal trees have equal digests.
 * `publish` makes everything readable for all (and for nobody else to write), as an image must be. The trees in
 * `known` stand in it with their own digest and are not read again.
 */
export async function digestTree(
  root: string,
  options: { publish?: boolean; known?: KnownTrees; signal?: AbortSignal } = {},
): Promise<TreeDigest> {
  const records: { path: string; text: string }[] = [];
  const files: { path: string; size: number; isExecutable: boolean }[] = [];
  let sizeBytes = 0;
  let knownFiles = 0;

  const walk = async (below: string): Promise<void> => {
    options.signal?.throwIfAborted();
    for (const name of await readdir(path.join(root, below))) {
      const file = below === "" ? name : `${below}/${name}`;
      const known = options.known?.get(file);
      if (known) {
        records.push({ path: file, text: `t ${known.hex}` });
        sizeBytes += known.sizeBytes;
        knownFiles += known.files;
        continue;
      }
      const full = path.join(root, file);
      const stats = await lstat(full).catch(() =>
        stop(`the name of "${file}" is not UTF-8 text: rename the file`),
      );
      if (stats.isDirectory()) {
        if (options.publish) await chmod(full, 0o755);
        records.push({ path: file, text: "d" });
        await walk(file);
      } else if (stats.isSymbolicLink())
        records.push({ path: file, text: `l ${JSON.stringify(await readlink(full))}` });
      else if (stats.isFile()) {
        const isExecutable = (stats.mode & 0o111) !== 0;
        if (options.publish && (stats.mode & 0o7777) !== (isExecutable ? 0o755 : 0o644))
          await chmod(full, isExecutable ? 0o755 : 0o644);
        files.push({ path: file, size: stats.size, isExecutable });
        sizeBytes += stats.size;
      }
      // Sockets, pipes and devices have no content that an image could carry.
    }
  };
  await walk("");

  const queue = files.values();
  const work = async () => {
    for (const { path: file, size, isExecutable } of queue) {
      options.signal?.throwIfAborted();
      records.push({
        path: file,
        text: `${isExecutable ? "x" : "f"} ${await digestFile(path.join(root, file), size)}`,
      });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));

  records.sort((a, b) => (a.path < b.path ? -1 : 1));
  const hash = createHash("sha256");
  for (const record of records) hash.update(`${JSON.stringify(record.path)} ${record.text}\n`);
  return { hex: hash.digest("hex"), sizeBytes, files: files.length + knownFiles };
}

async function digestFile(file: string, size: number): Promise<string> {
  const hash = createHash("sha256");
  if (size <= wholeBytesMax) return hash.update(await readFile(file)).digest("hex");
  for await (const chunk of createReadStream(file, { highWaterMark: 1_048_576 }))
    hash.update(chunk as Buffer);
  return hash.digest("hex");
}
