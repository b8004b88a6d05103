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
  let pending: Buffer = Buffer.alloc(0);
  for await (const chunk of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    while (pending.length >= 5) {
      const length = pending.readUInt32BE(1);
      if (length > messageBytesMax) throw tooLarge(`${length} bytes`);
      const end = 5 + length;
      if (pending.length < end) break;
      const message = pending.subarray(5, end);
      // The one encoding that was offered.
      yield pending[0] === 1 ? await unzipped(message) : message;
      pending = pending.subarray(end);
    }
  }
}

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
