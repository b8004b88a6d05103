import { closeSync, openSync, readSync } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as immediate } from "node:timers/promises";
import type { Stats } from "node:fs";
import { goMode } from "./go-mode.ts";
import { GrpcError, grpcCode } from "./grpc-framing.ts";
import type { Handler, ServedCall } from "./grpc-server.ts";
import { packetKind as kind, packets, type FileStat } from "./packets.ts";
import { walkTreeInTurns, withLinkTargets, type TreeEntry } from "./tree-walk.ts";

/** A folder the builder may read, by the name it asks with. */
export type LocalDir = {
  readonly path: string;
  /** Never sent, in the syntax of .dockerignore. */
  readonly ignore?: readonly string[];
  readonly onSkipped?: (path: string) => void;
  /** Told once per transfer: files sent because they were new or changed, and their bytes. */
  readonly onSent?: (sent: SentFiles) => void;
};
export type SentFiles = { files: number; bytes: number };

const chunkBytes = 256 * 1024;
const smallBytes = 64 * 1024;
const readersMax = 4;

/**
 * Answers FileSync.DiffCopy: names every file of the folder, then sends the ones the builder lacks. Memory does
 * not grow with file sizes; owners are left out, so that the same tree gives the same result on every machine.
 */
export function fileSync(dirs: Readonly<Record<string, LocalDir>>): Handler {
  return async (call) => {
    const name = call.metadata("dir-name")[0] ?? "";
    const dir = dirs[name];
    if (!dir) throw new GrpcError(grpcCode.notFound, `the folder "${name}" is not part of this build`);
    try {
      await sendTree(call, dir);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      await call.send(packets.encode({ type: kind.error, data: Buffer.from(message) }));
      throw error;
    }
  };
}

/** What may be asked for, by the order it was named in. */
type Named = { readonly path: string; readonly size: number } | undefined;

async function sendTree(call: ServedCall, dir: LocalDir): Promise<void> {
  const named: Named[] = [];
  await Promise.all([sendNames(call, dir, named), answerRequests(call, dir, named)]);
}

async function sendNames(call: ServedCall, dir: LocalDir, named: Named[]): Promise<void> {
  const follow = call.metadata("followpaths");
  const followed = withLinkTargets(dir.path, follow);
  const takesAll = follow.length > 0 && followed.length === 0;
  const include = takesAll ? [] : [...call.metadata("include-patterns"), ...followed];
  const exclude = [...(dir.ignore ?? []), ...call.metadata("exclude-patterns")];
  for (const entry of walkTreeInTurns(dir.path, {
    include,
    exclude,
    ...(dir.onSkipped && { onSkipped: dir.onSkipped }),
  })) {
    if (!entry) {
      await immediate();
      call.throwIfGone();
      continue;
    }
    named.push(entry.stats.isFile() ? { path: entry.path, size: entry.stats.size } : undefined);
    await call.send(packets.encode({ type: kind.stat, stat: statOf(entry) }));
  }
  await call.send(packets.encode({ type: kind.stat }));
}

/** Reads files as they are asked for, a few at once, until the builder says it has all. */
async function answerRequests(call: ServedCall, dir: LocalDir, named: readonly Named[]): Promise<void> {
  const sent: SentFiles = { files: 0, bytes: 0 };
  const running = new Set<Promise<void>>();
  const failure: { error?: unknown } = {};
  for await (const message of call.messages) {
    if ("error" in failure) throw failure.error;
    const packet = packets.decode(message);
    if (packet.type === kind.finish) break;
    if (packet.type === kind.error)
      throw new Error(Buffer.from(packet.data ?? []).toString() || "the builder refused the files");
    if (packet.type !== kind.request) continue;
    const id = packet.id ?? 0;
    const task: Promise<void> = sendFile(call, dir.path, named[id], id, sent)
      .catch((error: unknown) => {
        failure.error = error;
        throw error;
      })
      .finally(() => running.delete(task));
    task.catch(() => undefined);
    running.add(task);
    if (running.size >= readersMax) await Promise.race(running);
  }
  await Promise.all(running);
  await call.send(packets.encode({ type: kind.finish }));
  dir.onSent?.(sent);
}

async function sendFile(
  call: ServedCall,
  root: string,
  file: Named,
  id: number,
  sent: SentFiles,
): Promise<void> {
  if (!file) throw new Error(`the builder asked for file ${id}, which was never named`);
  const path = join(root, file.path);
  try {
    if (file.size > 0 && file.size <= smallBytes) await call.sendFramed(readSmall(path, id, file.size));
    else if (file.size > 0) await sendLarge(call, path, id);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw cause instanceof GrpcError ? cause : new Error(`cannot read ${file.path}: ${why}`, { cause });
  }
  sent.files += 1;
  sent.bytes += file.size;
  await call.send(packets.encode({ type: kind.data, id }));
}

/** For small files three quick calls cost less than three trips to the thread pool. */
function readSmall(path: string, id: number, size: number): Buffer {
  const descriptor = openSync(path, "r");
  try {
    const packet = dataPacket(id, size);
    const bytesRead = readSync(descriptor, packet.bytes, packet.at, size, null);
    return bytesRead === size ? packet.bytes : shortPacket(packet, id, bytesRead);
  } finally {
    closeSync(descriptor);
  }
}

async function sendLarge(call: ServedCall, path: string, id: number): Promise<void> {
  const file: FileHandle = await open(path, "r");
  try {
    for (;;) {
      const packet = dataPacket(id, chunkBytes);
      const { bytesRead } = await file.read(packet.bytes, packet.at, chunkBytes);
      if (bytesRead === 0) return;
      await call.sendFramed(bytesRead === chunkBytes ? packet.bytes : shortPacket(packet, id, bytesRead));
    }
  } finally {
    await file.close();
  }
}

type DataPacket = { readonly bytes: Buffer; readonly at: number };

/** A framed DATA packet with room for its content from `at` on: files are read to where they are sent from. */
function dataPacket(id: number, size: number): DataPacket {
  const head = [0x08, kind.data, 0x18, ...varint(id), 0x22, ...varint(size)];
  const at = 5 + head.length;
  const bytes = Buffer.allocUnsafe(at + size);
  bytes[0] = 0;
  bytes.writeUInt32BE(head.length + size, 1);
  bytes.set(head, 5);
  return { bytes, at };
}

function shortPacket(from: DataPacket, id: number, size: number): Buffer {
  const packet = dataPacket(id, size);
  from.bytes.copy(packet.bytes, packet.at, from.at, from.at + size);
  return packet.bytes;
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) | 128);
  }
}

function statOf({ path, stats, linkTarget }: TreeEntry): Partial<FileStat> {
  return {
    path,
    mode: modeOf(stats),
    modTime: Math.trunc(stats.mtimeMs) * 1_000_000,
    ...(stats.isFile() && { size: stats.size }),
    ...(linkTarget !== undefined && { linkname: linkTarget }),
  };
}

function modeOf(stats: Stats): number {
  let mode = stats.mode & 0o777;
  if (stats.mode & 0o4000) mode += goMode.setuid;
  if (stats.mode & 0o2000) mode += goMode.setgid;
  if (stats.mode & 0o1000) mode += goMode.sticky;
  if (stats.isDirectory()) mode += goMode.directory;
  if (stats.isSymbolicLink()) mode += goMode.link;
  return mode;
}
