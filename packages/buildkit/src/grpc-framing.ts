import type { Readable } from "node:stream";

/** One gRPC message as it travels: no compression, its length, its bytes. */
export function frame(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(5 + message.length);
  framed[0] = 0;
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, 5);
  return framed;
}

/** The messages of a gRPC stream in order. Ends with the stream; rejects when it breaks. Leaving early leaves it open. */
export async function* unframe(stream: Readable): AsyncGenerator<Buffer> {
  let pending: Buffer = Buffer.alloc(0);
  for await (const chunk of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    while (pending.length >= 5) {
      const end = 5 + pending.readUInt32BE(1);
      if (pending.length < end) break;
      yield pending.subarray(5, end);
      pending = pending.subarray(end);
    }
  }
}

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
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
} as const;
