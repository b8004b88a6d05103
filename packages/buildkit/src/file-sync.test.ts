import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { fileSync } from "./file-sync.ts";
import type { ServedCall } from "./grpc-server.ts";
import { codec } from "./protocol.ts";

type Packet = { type?: number; id?: number; data?: Uint8Array; stat?: { path: string } };
const packets = codec<Packet>("Packet");
const kind = { stat: 0, request: 1, data: 2, finish: 3, error: 4 };

test("sends a large file in small pieces, without holding it", async () => {
  const dir = aFolder();
  const [size, head] = [256 * 2 ** 20, 32];
  writeFileSync(join(dir, "large"), "");
  truncateSync(join(dir, "large"), size);
  let [bytes, pieces, largest] = [0, 0, 0];
  const call = aCall(["context"], [{ type: kind.request, id: 0 }, { type: kind.finish }], () => undefined);
  await fileSync({ context: { path: dir } })({
    ...call,
    sendFramed(framed) {
      pieces += 1;
      bytes += framed.length;
      largest = Math.max(largest, framed.length);
      return undefined;
    },
  });
  expect(largest).toBeLessThanOrEqual(2 ** 20);
  expect(bytes).toBeGreaterThanOrEqual(size);
  expect(bytes).toBeLessThanOrEqual(size + pieces * head);
});

test("tells the builder which file could not be read", async () => {
  const dir = aFolder();
  writeFileSync(join(dir, "here"), "content");
  const sent: Packet[] = [];
  const call = aCall(["context"], [{ type: kind.request, id: 0 }, { type: kind.finish }], (packet) => {
    sent.push(packet);
    if (packet.stat?.path === "here") rmSync(join(dir, "here"));
  });
  await expect(fileSync({ context: { path: dir } })(call)).rejects.toThrow("cannot read here");
  expect(Buffer.from(sent.at(-1)?.data ?? []).toString()).toContain("cannot read here");
});

test("gives out only folders that belong to the build", async () => {
  const call = aCall(["/etc"], [], () => undefined);
  await expect(fileSync({ context: { path: aFolder() } })(call)).rejects.toThrow(
    'the folder "/etc" is not part of this build',
  );
});

test("others have their turn while nothing of a tree is sent, and nothing is looked at for a builder that is gone", async () => {
  const dir = aFolder();
  for (let at = 0; at < 200; at += 1) writeFileSync(join(dir, `f${at}`), "");
  let turns = 0;
  const call = { ...aCall(["context"], [], () => undefined), throwIfGone: () => void (turns += 1) };
  const ended = { ...call, messages: (async function* () {})() };
  await fileSync({ context: { path: dir, ignore: ["*"] } })(ended);
  expect(turns).toBeGreaterThan(10);
  const gone = {
    ...call,
    throwIfGone() {
      throw new Error("gone");
    },
  };
  await expect(fileSync({ context: { path: dir, ignore: ["*"] } })(gone)).rejects.toThrow("gone");
});

/** The builder's side of a transfer: asks only after all names were sent. */
function aCall(dirName: string[], answers: Packet[], onSent: (packet: Packet) => void): ServedCall {
  const named = Promise.withResolvers<void>();
  const take = (bytes: Uint8Array): undefined => {
    const packet = packets.decode(bytes);
    onSent(packet);
    if ((packet.type ?? 0) === kind.stat && !packet.stat) named.resolve();
  };
  return {
    metadata: (name) => (name === "dir-name" ? dirName : []),
    messages: (async function* () {
      await named.promise;
      for (const answer of answers) yield packets.encode(answer);
    })(),
    send: (message) => take(message),
    sendFramed: (framed) => take(framed.subarray(5)),
    throwIfGone: () => undefined,
  };
}

function aFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), "starform-sync-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}
