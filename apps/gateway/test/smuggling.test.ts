import { sample, array, constantFrom, nat, tuple } from "fast-check";
import { until } from "@starform/std/retry";
import { expect, test } from "vitest";
import { aClient, aGateway, anApp, at, get, host } from "./gateway-under-test.ts";

const seed = 20_261_129;
const evil = get("/smuggled");
const bases = [
  get(),
  `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${evil.length}\r\n\r\n${evil}`,
  `POST / HTTP/1.1\r\nHost: ${host}\r\nTransfer-Encoding: chunked\r\n\r\n${evil.length.toString(16)}\r\n${evil}\r\n0\r\n\r\n`,
  `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${evil}`,
];
const pieces = [
  "\r\n",
  "\n",
  "\r",
  " ",
  "\t",
  "\0",
  ":",
  ";",
  "0",
  "0\r\n\r\n",
  "Content-Length: 0\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Transfer-Encoding:\tchunked\r\n",
  "Content_Length: 0\r\n",
  "Connection: content-length\r\n",
  "Connection: transfer-encoding\r\n",
  "Expect: 100-continue\r\n",
  "Upgrade: h2c\r\n",
  "\x0b",
  "é",
];

test(`whatever is broken in a request, the app sees no request but those the gateway sent it (seed ${seed})`, async () => {
  const seen: { id: string | undefined; url: string | undefined }[] = [];
  await using app = await anApp((request, response) => {
    seen.push({ id: request.headers["x-request-id"] as string | undefined, url: request.url });
    request.on("error", () => undefined).resume();
    response.end("ok");
  });
  await using gateway = await aGateway({ headTimeoutMs: 1_000, bodyIdleTimeoutMs: 1_000 });
  await gateway.route([at(app.port)]);
  const edit = tuple(nat(300), constantFrom(...pieces), nat(4));
  const attacks = sample(tuple(constantFrom(...bases), array(edit, { minLength: 1, maxLength: 3 })), {
    seed,
    numRuns: 400,
  });
  const broken = attacks.map(([base, edits]) =>
    edits.reduce((text, [place, piece, cut]) => {
      const from = place % text.length;
      return text.slice(0, from) + piece + text.slice(from + cut);
    }, base),
  );
  while (broken.length > 0) {
    await using stack = new AsyncDisposableStack();
    const clients = await Promise.all(
      broken.splice(0, 200).map(async (text) => {
        const client = stack.use(await aClient(gateway.port));
        client.send(text);
        return client;
      }),
    );
    await until("each to be answered or cut off", () =>
      clients.every(
        (client) => client.text() !== "" || client.socket.destroyed || client.socket.readableEnded,
      ),
    );
  }
  expect(seen.length).toBeGreaterThan(20);
  const counted = async (): Promise<number> =>
    Number(/envoy_cluster_upstream_rq_total\{[^}]*\} (\d+)/.exec(await gateway.metrics())?.[1]);
  await until("the gateway to have counted each", async () => (await counted()) >= seen.length);
  expect(seen.filter(({ id }) => !/^[0-9a-f-]{36}$/.test(id ?? ""))).toEqual([]);
  expect(new Set(seen.map(({ id }) => id)).size).toBe(seen.length);
});
