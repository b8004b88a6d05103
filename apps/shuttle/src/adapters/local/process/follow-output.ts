import { fstatSync, ftruncateSync, readFileSync, watch, writeFileSync } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { doorbell } from "../../../core/doorbell.ts";
import type { OutputChunk } from "../engine.ts";

export type OutputSource = {
  readonly dir: string;
  /** True once nothing will be written any more. */
  isEnded(): boolean;
  /** Runs the work while the app's processes stand still. */
  frozen(work: () => void): void;
};
type Stream = {
  readonly name: "stdout" | "stderr";
  readonly file: string;
  /** Bytes that were cut from the file's beginning. */
  base: number;
  /** Where to read on, in the file as it is now. */
  handle: FileHandle | undefined;
  offset: number;
  heldSinceMs: number | undefined;
};

const chunkBytes = 256 * 1024;
/** What is kept of one stream on disk; what was read is let go long before. */
const [bytesMax, bytesReadMax] = [64 << 20, 16 << 20];
/** A line without its end, such as a prompt, is given out after this time. */
const patienceMs = 500;

/** An instance's two output files from the cursor on, as they grow, in whole lines where possible. */
export async function* followOutput(
  source: OutputSource,
  cursor: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<OutputChunk> {
  const [out, err] = (cursor ?? "").split(":").map(Number);
  const streams = [
    openStream(source.dir, "stdout", "out", out),
    openStream(source.dir, "stderr", "err", err),
  ];
  const bell = directoryBell(source.dir, signal);
  const cursorNow = () => streams.map((stream) => stream.base + stream.offset).join(":");
  try {
    while (!signal.aborted) {
      const isLast = source.isEnded();
      let isQuiet = true;
      for (const stream of streams) {
        const chunk = await nextChunk(stream, source, isLast);
        if (!chunk) continue;
        isQuiet = false;
        yield { ...chunk, stream: stream.name, atMs: Date.now(), cursor: cursorNow() };
      }
      if (!isQuiet) continue;
      if (isLast) return;
      await bell.rings(streams.some((stream) => stream.heldSinceMs !== undefined) ? patienceMs : 1_000);
    }
  } finally {
    bell.close();
    for (const stream of streams) await stream.handle?.close();
  }
}

function openStream(dir: string, name: Stream["name"], file: string, place: number | undefined): Stream {
  const base = cutSoFar(dir, file);
  return {
    name,
    file,
    base,
    handle: undefined,
    offset: Math.max(0, (place || 0) - base),
    heldSinceMs: undefined,
  };
}

function cutSoFar(dir: string, file: string): number {
  try {
    return Number(readFileSync(join(dir, `${file}.cut`), "utf8"));
  } catch {
    return 0;
  }
}

async function nextChunk(
  stream: Stream,
  source: OutputSource,
  isLast: boolean,
): Promise<{ bytes: Uint8Array; droppedBytes: number } | undefined> {
  stream.handle ??= await open(join(source.dir, stream.file), "r+").catch(() => undefined);
  if (!stream.handle) return undefined;
  const { size } = await stream.handle.stat();
  if (size < stream.offset) stream.offset = 0;
  const droppedBytes = Math.max(0, size - stream.offset - bytesMax);
  stream.offset += droppedBytes;
  const buffer = Buffer.allocUnsafe(Math.min(chunkBytes, size - stream.offset));
  const { bytesRead } =
    buffer.length === 0
      ? { bytesRead: 0 }
      : await stream.handle.read(buffer, 0, buffer.length, stream.offset);
  if (bytesRead === 0) {
    if (stream.offset >= bytesReadMax && !isLast) letGo(stream, source);
    return undefined;
  }
  const bytes = wholeLines(stream, buffer.subarray(0, bytesRead), isLast);
  if (bytes.length === 0) return undefined;
  stream.offset += bytes.length;
  return { bytes, droppedBytes };
}

function wholeLines(stream: Stream, bytes: Buffer, isLast: boolean): Buffer {
  const end = bytes.lastIndexOf(0x0a) + 1;
  if (end > 0) {
    stream.heldSinceMs = undefined;
    return bytes.subarray(0, end);
  }
  const nowMs = performance.now();
  stream.heldSinceMs ??= nowMs;
  if (!isLast && bytes.length < chunkBytes && nowMs - stream.heldSinceMs < patienceMs)
    return bytes.subarray(0, 0);
  stream.heldSinceMs = undefined;
  return bytes;
}

/** Empties a file that was read to its end; nothing can be written between the look and the cut. */
function letGo(stream: Stream, source: OutputSource): void {
  const { fd } = stream.handle!;
  source.frozen(() => {
    if (fstatSync(fd).size !== stream.offset) return;
    ftruncateSync(fd, 0);
    stream.base += stream.offset;
    stream.offset = 0;
    writeFileSync(join(source.dir, `${stream.file}.cut`), String(stream.base));
  });
}

/** Rings when anything in the directory changes. */
function directoryBell(dir: string, signal: AbortSignal) {
  const bell = doorbell();
  const watcher = watch(dir, () => bell.ring());
  watcher.on("error", () => bell.ring());
  signal.addEventListener("abort", bell.ring, { once: true });
  return {
    rings: bell.rings,
    close(): void {
      watcher.close();
      signal.removeEventListener("abort", bell.ring);
    },
  };
}
