import { createWriteStream, type WriteStream } from "node:fs";
import { chmod, link, lstat, lutimes, mkdir, rm, symlink, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { goMode, hasMode, permissionsOf } from "./go-mode.ts";
import type { Handler, ServedCall } from "./grpc-server.ts";
import { packetKind as kind, packets, type FileStat } from "./packets.ts";
import { bytesMessage } from "./protocol.ts";

/** Answers FileSend.DiffCopy: takes what a build hands to this side, without holding it. */
export function receive(output: { readonly stream: Writable } | { readonly dir: string }): Handler {
  if ("dir" in output) return (call) => receiveTree(call, output.dir);
  const { stream } = output;
  // One that breaks before the builder has anything to hand over fails the build, and not the process.
  stream.on("error", () => undefined);
  return (call) => receiveStream(call, stream);
}

/** One stream of bytes; its end is the call's. */
async function receiveStream(call: ServedCall, stream: Writable): Promise<void> {
  if (stream.errored) throw stream.errored;
  const bytes = async function* () {
    for await (const message of call.messages) yield bytesMessage.decode(message).data ?? Buffer.alloc(0);
  };
  await pipeline(Readable.from(bytes()), stream);
}

type Folder = { readonly path: string; readonly stat: Partial<FileStat> };
type Incoming = { readonly stat: Partial<FileStat>; readonly out: WriteStream };
type Tree = {
  readonly root: string;
  /** Folders that this transfer has made: only into them is written, so that no link leads out. */
  readonly folders: Map<string, Folder>;
  readonly files: Map<number, Incoming>;
  /** How many entries were named, files that are still asked for, and whether all were named. */
  named: number;
  open: number;
  isComplete: boolean;
};

/**
 * A tree of files: the builder names its entries, each folder before what it holds, and is asked for the content of
 * every file. What is at the same place already is replaced; nothing is written outside of the folder.
 */
async function receiveTree(call: ServedCall, root: string): Promise<void> {
  await mkdir(root, { recursive: true });
  const tree: Tree = { root, folders: new Map(), files: new Map(), named: 0, open: 0, isComplete: false };
  for await (const message of call.messages) {
    const packet = packets.decode(message);
    const type = packet.type ?? kind.stat;
    if (type === kind.error) throw new Error(Buffer.from(packet.data ?? []).toString());
    if (type === kind.finish) break;
    if (type === kind.stat && packet.stat) await name(tree, call, packet.stat);
    else if (type === kind.stat) tree.isComplete = true;
    else if (type === kind.data) await take(tree, packet.id ?? 0, packet.data);
    if (tree.isComplete && tree.open === 0) await call.send(packets.encode({ type: kind.finish }));
  }
  // Writing into a folder changes its time, so folders get theirs last, the deepest first.
  for (const { path, stat } of [...tree.folders.values()].toReversed()) await finish(path, stat);
}

async function name(tree: Tree, call: ServedCall, stat: Partial<FileStat>): Promise<void> {
  const [id, mode] = [tree.named++, stat.mode ?? 0];
  const path = await placeFor(tree, stat.path ?? "");
  if (hasMode(mode, goMode.directory)) {
    const known = await lstat(path).catch(() => undefined);
    if (!known?.isDirectory()) await rm(path, { force: true });
    await mkdir(path, { recursive: true });
    tree.folders.set(stat.path ?? "", { path, stat });
    return;
  }
  if ([goMode.device, goMode.pipe, goMode.socket].some((bit) => hasMode(mode, bit))) return;
  await rm(path, { recursive: true, force: true });
  if (hasMode(mode, goMode.link)) {
    await symlink(stat.linkname ?? "", path);
    return lutimes(path, ...times(stat));
  }
  if (stat.linkname) return link(await placeFor(tree, stat.linkname), path);
  const out = createWriteStream(path, { flags: "wx", mode: 0o600 });
  // The write that meets it rejects; one that fails between two writes must not end the process.
  out.on("error", () => undefined);
  tree.files.set(id, { stat, out });
  tree.open += 1;
  await call.send(packets.encode({ type: kind.request, id }));
}

/** Where an entry goes. Rejects unless its folder was received as a folder. */
async function placeFor({ root, folders }: Tree, path: string): Promise<string> {
  const parts = path.split("/");
  if (path === "" || parts.some((part) => ["", ".", ".."].includes(part)) || path.includes("\0"))
    throw new Error(`the builder sent a file named ${JSON.stringify(path)}, which is refused`);
  const parent = dirname(path);
  if (parent !== "." && !folders.has(parent))
    throw new Error(`the builder sent ${JSON.stringify(path)} without the folder it lies in`);
  return join(root, path);
}

async function take(tree: Tree, id: number, data: Uint8Array | undefined): Promise<void> {
  const file = tree.files.get(id);
  if (!file) throw new Error(`the builder sent content for entry ${id}, which is no file`);
  if (data && data.length > 0) {
    await written(file.out, data);
    return;
  }
  await written(file.out);
  tree.files.delete(id);
  tree.open -= 1;
  await finish(String(file.out.path), file.stat);
}

/** One write, or the end of the file; rejects when the disk does. */
const written = (out: WriteStream, data?: Uint8Array): Promise<void> =>
  new Promise((resolve, reject) => {
    out.once("error", reject);
    const done = (error?: Error | null): void => {
      out.off("error", reject);
      if (error) reject(error);
      else resolve();
    };
    if (data) out.write(data, done);
    else out.end(done);
  });

async function finish(path: string, stat: Partial<FileStat>): Promise<void> {
  await chmod(path, permissionsOf(stat.mode ?? 0o644));
  await utimes(path, ...times(stat));
}

const times = ({ modTime = 0 }: Partial<FileStat>): [number, number] => [modTime / 1e9, modTime / 1e9];
