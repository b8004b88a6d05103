import { Readable } from "node:stream";
import fc from "fast-check";
import { expect, test } from "vitest";
import { frame, frameGzip, unframe } from "./grpc-framing.ts";

test("gives back every message in order, compressed or not, wherever the stream is cut", async () => {
  const messages = fc.array(fc.tuple(fc.uint8Array({ maxLength: 300 }), fc.boolean()), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(messages, fc.integer({ min: 1, max: 50 }), async (sent, cut) => {
      const bytes = Buffer.concat(
        sent.map(([message, zipped]) => (zipped ? frameGzip(message) : frame(message))),
      );
      const pieces = Array.from({ length: Math.ceil(bytes.length / cut) }, (_, at) =>
        bytes.subarray(at * cut, (at + 1) * cut),
      );
      const received = await Array.fromAsync(unframe(Readable.from(pieces)));
      expect(received.map((one) => [...one])).toEqual(sent.map(([message]) => [...message]));
    }),
  );
});

test("refuses a compressed message that grows without end", async () => {
  const bomb = frameGzip(Buffer.alloc(65 * 2 ** 20));
  await expect(Array.fromAsync(unframe(Readable.from([bomb])))).rejects.toThrow(/larger than/);
});
