import { createHash } from "node:crypto";
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { until } from "@starform/std/retry";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { aClient, anApp, aRawApp, at, type Gateway, get, host, aGateway } from "./gateway-under-test.ts";

let gateway: Gateway;
beforeAll(async () => void (gateway = await aGateway({ upstreamIdleTimeoutMs: 600_000 })));
afterAll(() => gateway[Symbol.asyncDispose]());

describe("a request reaches the app", () => {
  test("with its host kept, the forwarding headers set, and what is hop by hop left out", async () => {
    await using app = await anApp((request, response) =>
      response.end(JSON.stringify({ url: request.url, headers: request.headers })),
    );
    await gateway.route([at(app.port)]);
    using client = await aClient(gateway.port);
    client.send(
      get(
        "/a?b=c",
        "X-Forwarded-For: 9.9.9.9",
        "X-Forwarded-Proto: https",
        "X_Forwarded_For: 6.6.6.6",
        "Connection: keep-alive, X-Secret",
        "X-Secret: 1",
        "Keep-Alive: 5",
        "TE: trailers",
        "X-Request-Id: abc-123",
      ),
    );
    const text = await client.sees("}}");
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(text).toContain("\r\nX-Request-Id: abc-123\r\n");
    const { url, headers } = JSON.parse(text.slice(text.indexOf("\r\n\r\n"))) as {
      url: string;
      headers: Record<string, string>;
    };
    expect(url).toBe("/a?b=c");
    expect(headers).toMatchObject({
      host,
      "x-forwarded-for": "9.9.9.9, 127.0.0.1",
      "x-forwarded-proto": "http",
      "x-forwarded-host": host,
      "x-forwarded-port": String(gateway.port),
      "x-request-id": "abc-123",
    });
    for (const name of ["x-secret", "keep-alive", "te", "x_forwarded_for", "upgrade"])
      expect(headers).not.toHaveProperty(name);
  });

  test("by its host name alone, whatever its case, port or dot; a bad request id is replaced", async () => {
    await using app = await anApp((request, response) => response.end(request.headers["x-request-id"]));
    await gateway.route([at(app.port)]);
    using client = await aClient(gateway.port);
    client.send(
      `GET / HTTP/1.1\r\nHost: WEB-Shop.LOCALHOST.:${gateway.port}\r\nX-Request-Id: <script>\r\n\r\n`,
    );
    expect(await client.sees(/\r\n\r\n[0-9a-f-]{36}$/)).toContain("200 OK");
  });

  test("over kept connections on both sides, pipelined ones in their order", async () => {
    let connections = 0;
    await using app = await anApp(
      (request, response) => response.end(`[${request.url}]`),
      (server) => server.on("connection", () => connections++),
    );
    await gateway.route([at(app.port)]);
    using client = await aClient(gateway.port);
    client.send(Array.from({ length: 20 }, (_, index) => get(`/${index}`)).join(""));
    const text = await client.sees("[/19]");
    expect([...text.matchAll(/\[\/(\d+)\]/g)].map((match) => Number(match[1]))).toEqual([
      ...Array(20).keys(),
    ]);
    expect(connections).toBe(1);
  });

  test("with a body of known length, in chunks, and with trailers, which arrive and come back", async () => {
    await using app = await anApp((request, response) => {
      response.setHeader("Trailer", "X-Sum");
      let sum = 0;
      request.on("data", (bytes: Buffer) => {
        sum += bytes.length;
        response.write(bytes);
      });
      request.on("end", () => {
        response.addTrailers({ "X-Sum": String(sum), "X-Client": request.trailers["x-client"] ?? "none" });
        response.end();
      });
    });
    await gateway.route([at(app.port)]);
    using client = await aClient(gateway.port);
    client.send(
      `POST / HTTP/1.1\r\nHost: ${host}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Client: yes\r\n\r\n`,
    );
    expect(await client.sees("X-Client: yes\r\n\r\n")).toMatch(/5\r\nhello\r\n0\r\nX-Sum: 5/);
    client.send(`POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 3\r\n\r\nabc`);
    expect(await client.sees("X-Sum: 3")).toContain("3\r\nabc");
  });
});

describe("an answer reaches the client", () => {
  test("piece by piece as the app writes it: server-sent events are never held back", async () => {
    const writes: ((text: string) => void)[] = [];
    await using app = await anApp((_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.flushHeaders();
      writes.push((text) => response.write(text));
    });
    await gateway.route([at(app.port)]);
    using client = await aClient(gateway.port);
    client.send(get("/", "Accept: text/event-stream"));
    await client.sees("text/event-stream");
    for (const event of ["data: one\n\n", "data: two\n\n", "data: three\n\n"]) {
      writes[0]?.(event);
      await client.sees(event);
    }
  });

  test("without a body to HEAD, 204 and 304, and the connection goes on", async () => {
    await using app = await anApp((request, response) => {
      if (request.method === "HEAD") response.writeHead(200, { "content-length": 1_000 });
      else response.writeHead(Number(request.url?.slice(1)));
      response.end();
    });
    await gateway.route([at(app.port)]);
    using client = await aClient(gateway.port);
    client.send(get("/200").replace("GET", "HEAD") + get("/204") + get("/304"));
    expect(await client.sees("HTTP/1.1 304")).toMatch(
      /^HTTP\/1\.1 200 OK\r\n[^]*content-length: 1000\r\n[^]*\r\n\r\nHTTP\/1\.1 204 [^]*\r\n\r\nHTTP\/1\.1 304 /,
    );
  });

  test("from an app that ends its answer with the connection: in chunks, so that the end is certain", async () => {
    await using app = await aRawApp((socket) =>
      socket.once("data", () => socket.end("HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nold words")),
    );
    await gateway.route([at(app.port)]);
    using client = await aClient(gateway.port);
    client.send(get());
    expect(await client.sees("0\r\n\r\n")).toMatch(
      /Transfer-Encoding: chunked\r\n[^]*9\r\nold words\r\n0\r\n\r\n$/,
    );
    client.send(get());
    await client.sees(/0\r\n\r\n[^]*0\r\n\r\n/);
  });

  test("of HTTP/1.0 without chunks, and its connection ends", async () => {
    await using app = await anApp((_, response) => {
      response.write("one ");
      response.end("two");
    });
    await gateway.route([at(app.port)]);
    using client = await aClient(gateway.port);
    client.send(`GET / HTTP/1.0\r\nHost: ${host}\r\n\r\n`);
    const text = await client.ended();
    expect(text).toMatch(/\r\n\r\none two$/);
    expect(text).not.toMatch(/transfer-encoding/i);
  });

  test("after 100 Continue, which the app gives and not the gateway", async () => {
    await using app = await anApp(
      (_, response) => response.end(),
      (server) =>
        server.on("checkContinue", (request, response) => {
          if (request.url === "/no") return response.writeHead(417).end();
          response.writeContinue();
          request.on("data", (bytes: Buffer) => response.write(bytes)).on("end", () => response.end());
        }),
    );
    await gateway.route([at(app.port)]);
    using client = await aClient(gateway.port);
    client.send(`PUT /yes HTTP/1.1\r\nHost: ${host}\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n`);
    await client.sees("HTTP/1.1 100 Continue\r\n\r\n");
    client.send("hello");
    expect(await client.sees("0\r\n\r\n")).toContain("5\r\nhello");
    client.send(`PUT /no HTTP/1.1\r\nHost: ${host}\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n`);
    expect(await client.ended()).toMatch(/HTTP\/1\.1 417 [^]*Connection: close/);
  });
});

describe("the memory it takes does not grow with the body:", () => {
  const total = 96 << 20;
  const piece = Buffer.alloc(1 << 18, "x");
  const bufferedMax = 48 << 20; // what both kernels' socket buffers may hold, and far below the whole

  test("an upload waits while the app does not read, then arrives whole", async () => {
    let read: (() => void) | undefined;
    let received = 0;
    await using app = await anApp((request, response) => {
      read = () =>
        request
          .on("data", (bytes: Buffer) => (received += bytes.length))
          .on("end", () => response.end(`got ${received}`));
    });
    await gateway.route([at(app.port)]);
    using client = await aClient(gateway.port);
    client.send(`PUT / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${total}\r\n\r\n`);
    let sent = 0;
    const pump = (async () => {
      for (; sent < total; sent += piece.length)
        if (!client.socket.write(piece)) await once(client.socket, "drain");
    })();
    await until("a stand-still", async () => {
      const before = sent;
      await new Promise((resolve) => setTimeout(resolve, 150));
      return sent > 0 && sent === before;
    });
    expect(sent).toBeLessThan(bufferedMax);
    (await until("the request at the app", () => read))();
    await pump;
    await client.sees(`got ${total}`);
  });

  test("a download waits while the client does not read, then arrives whole", async () => {
    let sent = 0;
    await using app = await anApp(async (_, response) => {
      response.setHeader("content-length", total);
      for (; sent < total; sent += piece.length) if (!response.write(piece)) await once(response, "drain");
      response.end();
    });
    await gateway.route([at(app.port)]);
    const request = httpRequest({ port: gateway.port, host: "127.0.0.1", headers: { host } }).end();
    const [response] = (await once(request, "response")) as [import("node:http").IncomingMessage];
    await until("a stand-still", async () => {
      const before = sent;
      await new Promise((resolve) => setTimeout(resolve, 150));
      return sent > 0 && sent === before;
    });
    expect(sent).toBeLessThan(bufferedMax);
    let received = 0;
    for await (const bytes of response as AsyncIterable<Buffer>) received += bytes.length;
    expect(received).toBe(total);
  });
});

test("a client that sends requests ahead and reads no answer gets no further ones made, and all of them once it reads", async () => {
  let served = 0;
  const answer = Buffer.alloc(1 << 18, "x");
  await using app = await anApp((_, response) => {
    served++;
    response.end(answer);
  });
  await gateway.route([at(app.port)]);
  using client = await aClient(gateway.port);
  client.socket.pause();
  client.send(get().repeat(400));
  await until("a stand-still", async () => {
    const before = served;
    await new Promise((resolve) => setTimeout(resolve, 150));
    return served > 0 && served === before;
  });
  expect(served).toBeLessThan(300);
  client.socket.resume();
  await until("all answers", () => served === 400);
});

describe("a WebSocket", () => {
  const accept = (key: string): string =>
    createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  const ask = get(
    "/ws",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Key: dGVzdA==",
    "Sec-WebSocket-Version: 13",
  );

  test("passes both ways, what was sent ahead included, and each side can end", async () => {
    await using app = await anApp(
      (_, response) => response.end(),
      (server) =>
        server.on("upgrade", (request, socket, head) => {
          socket.write(
            `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept(request.headers["sec-websocket-key"] ?? "")}\r\n\r\n`,
          );
          if (head.length > 0) socket.write(`<${head.toString()}>`);
          socket
            .on("data", (bytes: Buffer) => socket.write(`<${bytes.toString()}>`))
            .on("end", () => socket.end("bye"));
        }),
    );
    await gateway.route([at(app.port)]);
    using client = await aClient(gateway.port);
    client.send(`${ask}ahead`);
    expect(await client.sees("<ahead>")).toMatch(
      /^HTTP\/1\.1 101 [^]*Upgrade: websocket\r\n[^]*Sec-WebSocket-Accept: /,
    );
    client.send("later");
    await client.sees("<later>");
    client.socket.end();
    expect(await client.ended()).toMatch(/bye$/);
    await until("the instance to be free", async () => (await gateway.use(`i-${app.port}`)).inflight === 0);
  });

  test("that the app refuses is an ordinary answer", async () => {
    await using app = await anApp((_, response) => response.writeHead(426).end("not here"));
    await gateway.route([at(app.port)]);
    using client = await aClient(gateway.port);
    client.send(ask);
    await client.sees("not here");
    client.send(get());
    await client.sees(/1.1 426[^]*1.1 426/);
  });
});

test("a client that leaves makes the gateway leave the app", async () => {
  let isClosed = false;
  await using app = await anApp((request) => request.on("close", () => (isClosed = true)));
  await gateway.route([at(app.port)]);
  using client = await aClient(gateway.port);
  client.send(get());
  await until("the request at the app", () => app.connections.size === 1);
  client.socket.destroy();
  await until("the app to see it", () => isClosed);
  await until("the instance to be free", async () => (await gateway.use(`i-${app.port}`)).inflight === 0);
});
