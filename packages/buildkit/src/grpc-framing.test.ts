import { Readable } from "node:stream";
import fc from "fast-check";
import { expect, test } from "vitest";
import { frame, frameGzip, grpcCode, unframe } from "./grpc-framing.ts";

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

test("refuses a message past BuildKit's own limit, before it is held", async () => {
  const most = 16 * 2 ** 20;
  const header = frame(Buffer.alloc(0));
  header.writeUInt32BE(most + 1, 1);
  const tooLarge = {
    code: grpcCode.resourceExhausted,
    message: expect.stringMatching(/larger than 16777216/),
  };
  const read = (bytes: Buffer) => Array.fromAsync(unframe(Readable.from([bytes])));
  await expect(read(header)).rejects.toMatchObject(tooLarge);
  await expect(read(frameGzip(Buffer.alloc(most + 1)))).rejects.toMatchObject(tooLarge);
  expect((await read(frameGzip(Buffer.alloc(most))))[0]).toHaveLength(most);
});

test("puts a message together in one go, however small its pieces are", async () => {
  const message = Buffer.alloc(2 ** 20, "x");
  const pieces = function* () {
    for (const byte of frame(message)) yield Buffer.from([byte]);
  };
  const [received] = await Array.fromAsync(unframe(Readable.from(pieces())));
  expect(received?.equals(message)).toBe(true);
});
