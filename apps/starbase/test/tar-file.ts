import { gzipSync } from "node:zlib";

export type TarMember = { name: string; type?: string; text?: string; link?: string; mode?: number };

/** A gzipped tar, honest or not: members are written as they are told. */
export function tarOf(members: readonly TarMember[], { end = true } = {}): Buffer {
  const blocks = members.flatMap(({ name, type = "0", text = "", link = "", mode = 0o644 }) => {
    const header = Buffer.alloc(512);
    const body = Buffer.from(text);
    header.write(name, 0, 100, "latin1");
    header.write(mode.toString(8).padStart(7, "0"), 100);
    header.write(body.length.toString(8).padStart(11, "0"), 124);
    header.write("        ", 148);
    header.write(type, 156);
    header.write(link, 157, 100, "latin1");
    header.write("ustar\x0000", 257);
    const sum = header.reduce((sum, byte) => sum + byte, 0);
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    return [header, body, Buffer.alloc((512 - (body.length % 512)) % 512)];
  });
  return gzipSync(Buffer.concat([...blocks, ...(end ? [Buffer.alloc(1_024)] : [])]));
}

export async function* inPieces(bytes: Buffer, size = 1_000): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
