import { open } from "node:fs/promises";
import { join } from "node:path";
import { Readable, pipeline } from "node:stream";
import { createGzip } from "node:zlib";
import type { SourceLimits } from "@starform/contract/source-limits";
import { Fault } from "@starform/std/fault";
import { bytesIn, type FolderEntry } from "./folder-entry.ts";
import { tarOf, type TarMember } from "./tar.ts";
import { tooLarge } from "./too-large.ts";

/**
 * The folder as a gzipped tar, read as it is taken. The same files give the same bytes. Past the packed limit it throws
 * a Fault that says what to leave out.
 */
export async function* packFolder(
  root: string,
  entries: readonly FolderEntry[],
  { packedBytesMax }: SourceLimits,
): AsyncGenerator<Uint8Array> {
  const gzip = createGzip({ level: 6 });
  const packed = pipeline(
    Readable.from(tarOf(membersOf(root, entries)), { objectMode: true }),
    gzip,
    () => undefined,
  );
  let total = 0;
  for await (const chunk of packed as AsyncIterable<Uint8Array>) {
    total += chunk.length;
    if (total > packedBytesMax)
      throw tooLarge(
        `${root} is larger than ${packedBytesMax / 2 ** 20} MiB even packed, and no source may be`,
        entries,
      );
    yield chunk;
  }
}

/** Packs a folder for nothing where it may be too large packed: that is not known before. */
export async function refuseLargePacked(
  root: string,
  entries: readonly FolderEntry[],
  limits: SourceLimits,
): Promise<void> {
  if (bytesIn(entries) <= limits.packedBytesMax) return;
  for await (const _ of packFolder(root, entries, limits));
}

function* membersOf(root: string, entries: readonly FolderEntry[]): Generator<TarMember> {
  for (const entry of entries)
    yield entry.kind === "file" ? { ...entry, bytes: () => bytesOf(join(root, entry.path), entry) } : entry;
}

/** Exactly as many bytes as were seen: a log that grows meanwhile is cut there, a file that shrank is refused. */
async function* bytesOf(path: string, entry: FolderEntry & { kind: "file" }): AsyncGenerator<Uint8Array> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    throw new Fault(
      "invalid",
      `"${entry.path}" cannot be read (${error.code}): change its permissions, or list it in .starformignore`,
    );
  });
  try {
    let left = entry.sizeBytes;
    while (left > 0) {
      const chunk = Buffer.allocUnsafe(Math.min(left, 256 * 1_024));
      const { bytesRead } = await file.read(chunk, 0, chunk.length, null);
      if (bytesRead === 0)
        throw new Fault("conflict", `"${entry.path}" changed while it was read: type the command again`);
      left -= bytesRead;
      yield chunk.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}
