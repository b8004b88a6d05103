import { constants } from "node:fs";
import { type FileHandle, lstat, mkdir, open, rm, symlink } from "node:fs/promises";
import path from "node:path";
import { Fault } from "@starform/std/fault";
import { readTar, type TarLimits, type TarSink } from "./read-tar.ts";

/** Reads an archive without keeping anything: what is wrong with it is told at once, to the person who sends it. */
export const inspect = (body: AsyncIterable<Uint8Array>, limits?: TarLimits): Promise<void> =>
  readTar(body, { entry: () => undefined, data: () => undefined, fileEnd: () => undefined }, limits);

/**
 * Lays an archive out in `dir`, which is empty. Links are made last, so no member is ever written through one; owner,
 * times and special bits are not taken over.
 */
export async function unpack(
  body: AsyncIterable<Uint8Array>,
  dir: string,
  limits?: TarLimits,
): Promise<void> {
  const links = new Map<string, string>();
  const folders = new Set<string>();
  let file: FileHandle | undefined;

  const makeFolder = async (folder: string): Promise<void> => {
    if (folder === "." || folders.has(folder)) return;
    await makeFolder(path.posix.dirname(folder));
    if (links.has(folder))
      throw new Fault("invalid", `"${folder}" is a link and a folder at once: pack the folder again`);
    await mkdir(path.join(dir, folder), { mode: 0o755 }).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "EEXIST")
        throw new Fault("invalid", `"${folder}" is a file and a folder at once: pack the folder again`);
      throw error;
    });
    folders.add(folder);
  };

  const sink: TarSink = {
    async entry(entry) {
      if (entry.kind === "folder") return makeFolder(entry.path);
      await makeFolder(path.posix.dirname(entry.path));
      if (folders.has(entry.path))
        throw new Fault("invalid", `"${entry.path}" is a file and a folder at once: pack the folder again`);
      const full = path.join(dir, entry.path);
      links.delete(entry.path);
      // The same name a second time: the later member is the one that counts, as in tar.
      await rm(full, { force: true });
      if (entry.kind === "link") return void links.set(entry.path, entry.target);
      const flags = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_NOFOLLOW;
      file = await open(full, flags, entry.isExecutable ? 0o755 : 0o644);
    },
    async data(chunk) {
      for (let at = 0; at < chunk.length;) at += (await file!.write(chunk, at)).bytesWritten;
    },
    async fileEnd() {
      await file?.close();
      file = undefined;
    },
  };

  try {
    await readTar(body, sink, limits);
  } finally {
    await file?.close();
  }
  for (const [at, target] of links) {
    const full = path.join(dir, at);
    if (!(await lstat(full).catch(() => undefined))) await symlink(target, full);
  }
}
