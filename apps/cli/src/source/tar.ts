/** One member of an archive, with its bytes for a file. */
export type TarMember =
  | { readonly kind: "folder"; readonly path: string }
  | { readonly kind: "link"; readonly path: string; readonly to: string }
  | {
      readonly kind: "file";
      readonly path: string;
      readonly sizeBytes: number;
      readonly isExecutable: boolean;
      /** Exactly `sizeBytes` in all, else the archive is refused. */
      bytes(): AsyncIterable<Uint8Array>;
    };

const block = 512;
/** 2000-01-01: not zero, because some tools take that for "unknown" or cannot hold dates before 1980. */
const mtime = 946_684_800;

/**
 * A ustar archive with pax records where ustar's fields are too small. Nothing of the machine is in it: owner 0, one
 * date, two modes; the same members in the same order are the same bytes.
 */
export async function* tarOf(
  members: AsyncIterable<TarMember> | Iterable<TarMember>,
): AsyncGenerator<Uint8Array> {
  for await (const member of members) {
    yield* headersOf(member);
    if (member.kind === "file") yield* contentOf(member);
  }
  yield Buffer.alloc(2 * block);
}

function* headersOf(member: TarMember): Generator<Uint8Array> {
  const path = member.kind === "folder" ? `${member.path}/` : member.path;
  const sizeBytes = member.kind === "file" ? member.sizeBytes : 0;
  const records = [
    ...(isLong(path) ? [["path", path] as const] : []),
    ...(member.kind === "link" && isLong(member.to) ? [["linkpath", member.to] as const] : []),
    ...(sizeBytes > 0o77777777777 ? [["size", String(sizeBytes)] as const] : []),
  ];
  if (records.length > 0) {
    const body = Buffer.from(records.map(([key, value]) => paxRecord(key, value)).join(""), "utf8");
    yield header({ path: "PaxHeaders/member", type: "x", sizeBytes: body.length, mode: 0o644 });
    yield body;
    yield Buffer.alloc(padding(body.length));
  }
  const isExecutable = member.kind === "folder" || (member.kind === "file" && member.isExecutable);
  yield header({
    path,
    type: { folder: "5", link: "2", file: "0" }[member.kind],
    sizeBytes: sizeBytes > 0o77777777777 ? 0 : sizeBytes,
    mode: isExecutable ? 0o755 : 0o644,
    ...(member.kind === "link" ? { to: member.to } : {}),
  });
}

async function* contentOf(member: TarMember & { kind: "file" }): AsyncGenerator<Uint8Array> {
  let written = 0;
  for await (const chunk of member.bytes()) {
    written += chunk.length;
    yield chunk;
  }
  if (written !== member.sizeBytes)
    throw new Error(`${member.path} has ${written} bytes, not the ${member.sizeBytes} that were announced`);
  yield Buffer.alloc(padding(written));
}

const isLong = (text: string): boolean => Buffer.byteLength(text) > 100 || !/^[\u0020-\u007e]*$/.test(text);
const padding = (size: number): number => (block - (size % block)) % block;

/** `<length> <key>=<value>\n`, where the length counts its own digits. */
export function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const restBytes = Buffer.byteLength(rest);
  let length = restBytes + String(restBytes).length;
  length = restBytes + String(length).length;
  return `${length}${rest}`;
}

type Header = { path: string; type: string; sizeBytes: number; mode: number; to?: string };
function header({ path, type, sizeBytes, mode, to = "" }: Header): Buffer {
  const bytes = Buffer.alloc(block);
  const octal = (value: number, at: number, width: number) =>
    bytes.write(`${value.toString(8).padStart(width - 1, "0")}\0`, at, "latin1");
  bytes.write(cut(path), 0, 100, "utf8");
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(sizeBytes, 124, 12);
  octal(mtime, 136, 12);
  bytes.write(" ".repeat(8), 148, "latin1");
  bytes.write(type, 156, "latin1");
  bytes.write(cut(to), 157, 100, "utf8");
  bytes.write("ustar", 257, "latin1");
  bytes.write("00", 263, "latin1");
  octal(
    bytes.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  );
  bytes.write("\0 ", 154, "latin1");
  return bytes;
}

/** At most 100 bytes, never half a character: a reader of pax takes the whole from the record before. */
function cut(text: string): string {
  let kept = text;
  while (Buffer.byteLength(kept) > 100) kept = kept.slice(0, Math.min(kept.length - 1, 100));
  return kept;
}
