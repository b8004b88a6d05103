import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { Fault } from "@starform/std/fault";
import { describe, expect, test } from "vitest";
import { nodeRequest } from "../src/node-request.ts";
import { request } from "../src/request.ts";
import type { HttpRequest, Transport } from "../src/transport.ts";

async function aServer(listener: RequestListener): Promise<AsyncDisposable & { url: string }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/it`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const ask = (transport: Transport, url: string, over: Partial<HttpRequest> = {}) =>
  transport({
    method: "GET",
    url,
    headers: { accept: "application/json" },
    body: undefined,
    signal: undefined,
    timeoutMs: 20_000,
    ...over,
  });

const collect = async (chunks: AsyncIterable<string>): Promise<string> =>
  (await Array.fromAsync(chunks)).join("");

describe.each([
  { name: "fetch", transport: request },
  { name: "node", transport: nodeRequest },
])("the $name transport", ({ transport }) => {
  test("sends text and streams, and hands back status, headers and text", async () => {
    await using server = await aServer(async (asked, answer) => {
      const body = await buffer(asked);
      answer.writeHead(418, { "x-size": body.length }).end(`${asked.method} ${asked.headers["accept"]} é`);
    });
    const text = await ask(transport, server.url, { method: "POST", body: "é".repeat(10) });
    expect([text.status, text.headers.get("X-Size"), await text.text()]).toEqual([
      418,
      "20",
      "POST application/json é",
    ]);
    const bytes = (async function* () {
      for (let n = 0; n < 50; n++) yield Buffer.alloc(100_000, n);
    })();
    const stream = await ask(transport, server.url, { method: "POST", body: bytes });
    expect([stream.headers.get("x-size"), stream.headers.get("none")]).toEqual(["5000000", null]);
    await stream.text();
  });

  test("reads a body as it comes, whole characters only", async () => {
    await using server = await aServer((_, answer) => {
      answer.writeHead(200).write(Buffer.from([0xc3]));
      setImmediate(() => answer.end(Buffer.from([0xa9])));
    });
    expect(await collect((await ask(transport, server.url)).chunks())).toBe("é");
  });

  test("tells a server that is not there, is silent, or breaks off as unavailable", async () => {
    await expect(ask(transport, "http://127.0.0.1:2/")).rejects.toMatchObject({ code: "unavailable" });
    await using server = await aServer((asked, answer) => {
      if (asked.headers["x-break"]) answer.writeHead(200).write("half", () => answer.destroy());
      if (asked.headers["x-idle"]) answer.writeHead(200).write("half");
    });
    await expect(ask(transport, server.url, { timeoutMs: 100 })).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("did not answer within 0.1 s") as string,
    });
    const half = await ask(transport, server.url, { headers: { "x-break": "1" } });
    await expect(half.text()).rejects.toMatchObject({ code: "unavailable" });
    const idle = await ask(transport, server.url, { headers: { "x-idle": "1" }, idleMs: 100 });
    await expect(collect(idle.chunks())).rejects.toMatchObject({ code: "unavailable" });
  });

  test("a fired signal rejects with its reason, before and within the answer", async () => {
    await using server = await aServer((_, answer) => void answer.writeHead(200).write("half"));
    const why = new Error("enough");
    await expect(ask(transport, server.url, { signal: AbortSignal.abort(why) })).rejects.toBe(why);
    const stop = new AbortController();
    const { chunks } = await ask(transport, server.url, { signal: stop.signal });
    const reading = (async () => {
      for await (const _ of chunks()) stop.abort(why);
    })();
    await expect(reading).rejects.toBe(why);
  });

  test("a body that fails rejects with its own error", async () => {
    await using server = await aServer(async (asked, answer) => {
      await buffer(asked).catch(() => undefined);
      answer.destroy();
    });
    const own = new Fault("conflict", "the file changed");
    const body = (async function* () {
      yield Buffer.alloc(10);
      throw own;
    })();
    await expect(ask(transport, server.url, { method: "POST", body })).rejects.toBe(own);
  });

  test("an answer that comes before the body was taken is the answer", async () => {
    await using server = await aServer((_, answer) => void answer.writeHead(413).end("too large"));
    const body = (async function* () {
      for (let n = 0; n < 400; n++) yield Buffer.alloc(65_536);
    })();
    const { status, text } = await ask(transport, server.url, { method: "POST", body });
    expect([status, await text()]).toEqual([413, "too large"]);
  });
});
