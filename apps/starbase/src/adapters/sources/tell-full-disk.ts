import { platformDiskIsFull } from "../../core/full-disk.ts";

/** How git tells it, which runs in English (git-program.ts). */
const gitsWords = /No space left on device|Disk quota exceeded/;
/** Of the side-band protocol: git's report of what became of the push, and what is for the person at the other end. */
const [reportBand, progressBand] = [1, 2];
const lengthBytes = 4;

/**
 * The answer to a push, with our sentence behind git's own words for a full disk. Those that come after git's report are
 * of the build that follows: the push stands. Packets go on as soon as they are whole; what is no packet goes on as it is.
 */
export async function* tellFullDisk(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let [rest, isOver] = [Buffer.alloc(0), false];
  for await (const chunk of body) {
    rest = Buffer.concat([rest, chunk]);
    for (
      let length = lengthOf(rest);
      length !== undefined && length <= rest.length;
      length = lengthOf(rest)
    ) {
      const packet = rest.subarray(0, length);
      rest = rest.subarray(length);
      yield packet;
      const band = packet[lengthBytes];
      if (band === reportBand) isOver = true;
      if (isOver || band !== progressBand || !gitsWords.test(packet.toString("latin1"))) continue;
      isOver = true;
      yield packetOf(`${platformDiskIsFull}\n`);
    }
  }
  if (rest.length > 0) yield rest;
}

/** Of the packet at the beginning, its length included; a flush packet has none. Undefined until that is known. */
function lengthOf(bytes: Buffer): number | undefined {
  if (bytes.length < lengthBytes) return undefined;
  const digits = bytes.toString("latin1", 0, lengthBytes);
  return /^[0-9a-f]{4}$/i.test(digits) ? Math.max(Number.parseInt(digits, 16), lengthBytes) : bytes.length;
}

function packetOf(text: string): Buffer {
  const payload = Buffer.concat([Buffer.of(progressBand), Buffer.from(text)]);
  return Buffer.concat([
    Buffer.from((payload.length + lengthBytes).toString(16).padStart(lengthBytes, "0")),
    payload,
  ]);
}
