import { sourceLimits, type SourceLimits } from "@starform/contract/source-limits";
import { Fault } from "@starform/std/fault";

/** One member of an archive. `path` is relative, clean, and cannot lead out; the same holds for a link's target. */
export type TarEntry =
  | { readonly kind: "folder"; readonly path: string }
  | { readonly kind: "link"; readonly path: string; readonly target: string }
  | {
      readonly kind: "file";
      readonly path: string;
      readonly isExecutable: boolean;
      readonly sizeBytes: number;
    };

export type TarLimits = Pick<SourceLimits, "bytesMax" | "entriesMax">;

/** What to do with the members, in the archive's order. A file's content follows its entry, in pieces. */
export type TarSink = {
  entry(entry: TarEntry): Promise<void> | void;
  data(chunk: Buffer): Promise<void> | void;
  /** After the last piece of a file. */
  fileEnd(): Promise<void> | void;
};

const block = 512;
/** No true name needs as much; the record that carries it is held in memory. */
const headerBytesMax = 64 * 1_024;

/**
 * Reads a tar (ustar, with the pax and GNU forms of long names) as it comes. Faults: `malformed` for what is no tar or
 * ends early, `too_large` past the limits, `invalid` for members that have no place in a source: devices, names or
 * links that lead out, names with line breaks.
 */
export async function readTar(
  body: AsyncIterable<Uint8Array>,
  sink: TarSink,
  limits: TarLimits = sourceLimits,
): Promise<void> {
  const bytes = byteReader(body);
  let [entries, total] = [0, 0];
  let long: { path?: string; target?: string; size?: number } = {};
  for (;;) {
    const header = await bytes.take(block);
    if (header === undefined) {
      if (entries === 0) throw malformed("it is empty");
      return;
    }
    if (header.every((byte) => byte === 0)) return bytes.drain();
    const { name, size: ownSize, type, linkName, mode } = readHeader(header);
    const size = long.size ?? ownSize;
    if ("xgLK".includes(type)) {
      if (size > headerBytesMax) throw malformed("a member's name is longer than any file system allows");
      const content = await bytes.exactly(size);
      await bytes.skip(padding(size));
      if (type === "L") long = { ...long, path: cString(content) };
      else if (type === "K") long = { ...long, target: cString(content) };
      else if (type === "x") long = { ...long, ...readPax(content) };
      continue;
    }
    if (++entries > limits.entriesMax) throw tooLarge(`it holds more than ${limits.entriesMax} files`);
    const path = cleanPath(long.path ?? name);
    const target = long.target ?? linkName;
    long = {};
    if (type === "5") {
      if (path !== "") await sink.entry({ kind: "folder", path });
    } else if (type === "2") await sink.entry({ kind: "link", path, target: cleanTarget(path, target) });
    else if (type === "0" || type === "\0" || type === "7") {
      total += size;
      if (total > limits.bytesMax)
        throw tooLarge(`unpacked it is larger than ${limits.bytesMax / 1_000_000} MB`);
      await sink.entry({ kind: "file", path, isExecutable: (mode & 0o111) !== 0, sizeBytes: size });
      await bytes.pass(size, sink.data);
      await sink.fileEnd();
      await bytes.skip(padding(size));
      continue;
    } else if (type === "1")
      throw invalid(`"${path}" is a hard link, which a source cannot hold: make it a file of its own`);
    else
      throw invalid(
        `"${path}" is neither a file nor a folder nor a link (a device, a pipe or a socket): remove it from the folder`,
      );
    await bytes.skip(size + padding(size));
  }
}

export const malformed = (why: string): Fault =>
  new Fault(
    "malformed",
    `the source is not a gzipped tar that can be read: ${why}; send the folder again, for instance with starform up`,
  );
const tooLarge = (why: string): Fault =>
  new Fault(
    "too_large",
    `the source is too large: ${why}; leave out what the build does not need with .starformignore or .gitignore`,
  );
const invalid = (why: string): Fault => new Fault("invalid", why);

function readHeader(header: Buffer) {
  const sum = header.reduce((sum, byte, i) => sum + (i >= 148 && i < 156 ? 32 : byte), 0);
  if (octal(header, 148, 8) !== sum) throw malformed("a header's checksum is wrong");
  const prefix = header.toString("latin1", 257, 262) === "ustar" ? text(header, 345, 155) : "";
  const name = text(header, 0, 100);
  return {
    name: prefix === "" ? name : `${prefix}/${name}`,
    mode: octal(header, 100, 8),
    size: octal(header, 124, 12),
    type: String.fromCharCode(header[156]!),
    linkName: text(header, 157, 100),
  };
}

const text = (header: Buffer, at: number, length: number): string =>
  cString(header.subarray(at, at + length));

function cString(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(end < 0 ? bytes : bytes.subarray(0, end));
  } catch {
    throw invalid(
      `the name of a file is not UTF-8 text ("${bytes
        .toString("latin1")
        .replaceAll(/[^\x20-\x7e]/g, "?")
        .replace(/\?+$/, "")}"): rename it`,
    );
  }
}

function octal(header: Buffer, at: number, length: number): number {
  // GNU writes large numbers in base 256; no member within the limits needs that.
  if ((header[at]! & 0x80) !== 0) throw tooLarge("one of its files is");
  const digits = header
    .toString("latin1", at, at + length)
    .replaceAll("\0", " ")
    .trim();
  if (!/^[0-7]*$/.test(digits)) throw malformed("a header holds no number where one belongs");
  return digits === "" ? 0 : Number.parseInt(digits, 8);
}

/** `<length> <key>=<value>\n`, the length counting itself. */
function readPax(content: Buffer): { path?: string; target?: string; size?: number } {
  const found: { path?: string; target?: string; size?: number } = {};
  for (let at = 0; at < content.length;) {
    const space = content.indexOf(32, at);
    const length = Number(content.toString("latin1", at, space));
    if (space < 0 || !(length > space - at) || at + length > content.length)
      throw malformed("an extended header is broken");
    const record = cString(content.subarray(space + 1, at + length - 1));
    const equals = record.indexOf("=");
    const [key, value] = [record.slice(0, equals), record.slice(equals + 1)];
    if (key === "path") found.path = value;
    else if (key === "linkpath") found.target = value;
    else if (key === "size") found.size = Number(value);
    else if (key.startsWith("GNU.sparse")) throw invalid("the archive holds a sparse file: write it whole");
    at += length;
  }
  if (found.size !== undefined && !Number.isSafeInteger(found.size))
    throw malformed("an extended header holds a wrong size");
  return found;
}

/** The path without `./` and doubled slashes; "" for the top folder itself. */
function cleanPath(name: string): string {
  refuseControl(name);
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  if (name.startsWith("/") || parts.includes(".."))
    throw invalid(`"${name}" leads out of the source's folder: pack it with relative names`);
  if (name.length > 4_096 || parts.some((part) => Buffer.byteLength(part) > 255))
    throw invalid(`"${name.slice(0, 80)}…" is longer than a file's name may be: shorten it`);
  return parts.join("/");
}

function cleanTarget(path: string, target: string): string {
  refuseControl(target);
  const at = path.split("/").slice(0, -1);
  const leads =
    target.startsWith("/") ||
    target === "" ||
    target
      .split("/")
      .some((part) =>
        part === ".." ? at.pop() === undefined : (part !== "" && part !== "." && at.push(part), false),
      );
  if (leads)
    throw invalid(
      `the link "${path}" leads outside of the source's folder (to "${target.slice(0, 200)}"): make it lead to a file inside, or remove it`,
    );
  return target;
}

function refuseControl(name: string): void {
  // oxlint-disable-next-line no-control-regex
  if (/[\x00-\x1f\x7f]/.test(name))
    throw invalid(
      `the file name ${JSON.stringify(name.slice(0, 200))} holds a line break or another control character: rename it`,
    );
}

const padding = (size: number): number => (block - (size % block)) % block;

/** Takes exact numbers of bytes from pieces of any size. */
function byteReader(body: AsyncIterable<Uint8Array>) {
  const source = body[Symbol.asyncIterator]();
  let rest: Buffer = Buffer.alloc(0);
  const more = async (): Promise<boolean> => {
    const next = await source.next();
    if (next.done) return false;
    const { buffer, byteOffset, byteLength } = next.value;
    const chunk = Buffer.from(buffer, byteOffset, byteLength);
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    return true;
  };
  const pass = async (size: number, to: (chunk: Buffer) => Promise<void> | void): Promise<void> => {
    for (let left = size; left > 0;) {
      if (rest.length === 0 && !(await more())) throw malformed("it ends in the middle of a file");
      const chunk = rest.subarray(0, left);
      rest = rest.subarray(chunk.length);
      left -= chunk.length;
      if (chunk.length > 0) await to(chunk);
    }
  };
  return {
    pass,
    skip: (size: number) => pass(size, () => undefined),
    /** Undefined at the end. */
    async take(size: number): Promise<Buffer | undefined> {
      while (rest.length < size) if (!(await more())) break;
      if (rest.length === 0) return undefined;
      if (rest.length < size) throw malformed("it ends in the middle of a header");
      const taken = rest.subarray(0, size);
      rest = rest.subarray(size);
      return taken;
    },
    async exactly(size: number): Promise<Buffer> {
      while (rest.length < size) if (!(await more())) throw malformed("it ends in the middle of a header");
      const taken = rest.subarray(0, size);
      rest = rest.subarray(size);
      return taken;
    },
    /** What follows the end mark is read and dropped, so that the sender can finish; a bomb behind it is not. */
    async drain(): Promise<void> {
      let dropped = rest.length;
      rest = Buffer.alloc(0);
      while (await more()) {
        dropped += rest.length;
        rest = Buffer.alloc(0);
        if (dropped > 16 * 2 ** 20) throw malformed("much follows its end");
      }
    },
  };
}
