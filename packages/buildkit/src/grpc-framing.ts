import type { Readable } from "node:stream";
import { promisify } from "node:util";
import { gunzip, gzipSync } from "node:zlib";

/** One gRPC message as it travels: no compression, its length, its bytes. */
export function frame(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(5 + message.length);
  framed[0] = 0;
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, 5);
  return framed;
}

/** As `frame`, compressed; for calls that say `grpc-encoding: gzip`. */
export function frameGzip(message: Uint8Array): Buffer {
  const framed = frame(gzipSync(message, { level: 1 }));
  framed[0] = 1;
  return framed;
}

/** What both sides of a call may compress with, beside not at all. */
export const acceptedEncodings = "gzip,identity";

const unzip = promisify(gunzip);
/** BuildKit's own limit, either way; a message that grows past it is an attack or a fault. */
const messageBytesMax = 16 * 2 ** 20;

/**
 * The messages of a gRPC stream in order. Ends with the stream; rejects when it breaks, and with a GrpcError when a message
 * is larger than BuildKit's 16 MiB, before it is held. Leaving early leaves it open.
 */
export async function* unframe(stream: Readable): AsyncGenerator<Buffer> {
  // The message that came in part, with room for all of it once its length is there: no byte is copied for each piece.
  let held = Buffer.allocUnsafe(headBytes);
  let filled = 0;
  for await (const chunk of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    let at = 0;
    while (at < chunk.length) {
      const rest = chunk.subarray(at);
      if (filled === 0 && rest.length >= headBytes && rest.length >= framedBytes(rest)) {
        const framed = rest.subarray(0, framedBytes(rest));
        at += framed.length;
        yield await messageIn(framed);
        continue;
      }
      const copied = rest.copy(held, filled);
      [at, filled] = [at + copied, filled + copied];
      if (filled < held.length) continue;
      const bytes = framedBytes(held);
      if (bytes > filled) {
        const head = held;
        held = Buffer.allocUnsafe(bytes);
        head.copy(held);
        continue;
      }
      yield await messageIn(held);
      [held, filled] = [Buffer.allocUnsafe(headBytes), 0];
    }
  }
}

const headBytes = 5;

/** The size of a message with its head, which is there. */
function framedBytes(framed: Buffer): number {
  const length = framed.readUInt32BE(1);
  if (length > messageBytesMax) throw tooLarge(`${length} bytes`);
  return headBytes + length;
}

/** The one encoding that was offered, or none. */
const messageIn = (framed: Buffer): Buffer | Promise<Buffer> => {
  const message = framed.subarray(headBytes);
  return framed[0] === 1 ? unzipped(message) : message;
};

const unzipped = (message: Buffer): Promise<Buffer> =>
  unzip(message, { maxOutputLength: messageBytesMax }).catch((error: NodeJS.ErrnoException) => {
    throw error.code === "ERR_BUFFER_TOO_LARGE" ? tooLarge("more once unzipped") : error;
  });

const tooLarge = (size: string): GrpcError =>
  new GrpcError(
    grpcCode.resourceExhausted,
    `the other side sent a message that is larger than ${messageBytesMax} bytes (${size}): no builder sends such`,
  );

/** A call that ended with a gRPC status other than OK. */
export class GrpcError extends Error {
  override readonly name = "GrpcError";
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export const grpcCode = {
  cancelled: 1,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
} as const;
