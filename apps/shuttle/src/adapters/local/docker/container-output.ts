import type { Readable } from "node:stream";
import type { OutputChunk } from "../engine.ts";

/**
 * The engine's log stream as chunks: frames of 8 bytes head (1 stdout, 2 stderr; length) and a text that begins with its
 * time. A cursor is `<time>#<how many lines of that very time were read>`, since several lines may share one.
 */
export async function* readFrames(source: Readable, cursor: string | undefined): AsyncGenerator<OutputChunk> {
  const [fromTime = "", fromCount = "0"] = cursor?.split("#") ?? [];
  let [time, count] = ["", 0];
  for await (const { isError, payload } of frames(source)) {
    const space = payload.indexOf(0x20);
    const stamp = payload.toString("latin1", 0, space);
    count = stamp === time ? count + 1 : 1;
    time = stamp;
    if (stamp < fromTime || (stamp === fromTime && count <= Number(fromCount))) continue;
    yield {
      stream: isError ? "stderr" : "stdout",
      bytes: payload.subarray(space + 1),
      atMs: Date.parse(stamp),
      cursor: `${time}#${count}`,
      droppedBytes: 0,
    };
  }
}

/** What `since` takes: seconds with nine digits of fraction; a little earlier, for the count decides. */
export function sinceOf(cursor: string | undefined): string {
  const time = cursor?.split("#")[0];
  if (!time) return "0";
  const fraction = /\.(\d+)Z$/.exec(time)?.[1] ?? "0";
  return `${Math.floor(Date.parse(time) / 1_000)}.${fraction.padEnd(9, "0")}`;
}

async function* frames(source: Readable): AsyncGenerator<{ isError: boolean; payload: Buffer }> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of source) {
    rest = rest.length === 0 ? (chunk as Buffer) : Buffer.concat([rest, chunk as Buffer]);
    while (rest.length >= 8) {
      const end = 8 + rest.readUInt32BE(4);
      if (rest.length < end) break;
      yield { isError: rest[0] === 2, payload: rest.subarray(8, end) };
      rest = rest.subarray(end);
    }
  }
}
