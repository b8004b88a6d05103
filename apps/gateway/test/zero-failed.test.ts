import { Agent, request } from "node:http";
import { until } from "@starform/std/retry";
import { expect, test } from "vitest";
import {
  type App,
  aClient,
  aClosedPort,
  aGateway,
  anApp,
  aRawApp,
  at,
  get,
  host,
} from "./gateway-under-test.ts";

const answer = (body: string): string => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

test("not one of 3,000 requests fails while instances come, are drained and end, 30 times", async () => {
  await using gateway = await aGateway();
  await using stack = new AsyncDisposableStack();
  let generation = 0;
  let current: { app: App; id: string };
  const nextInstance = async (): Promise<typeof current> => {
    const name = `g${generation++}`;
    const app = stack.use(
      await anApp((incoming, response) => {
        incoming.resume().on("end", () => setTimeout(() => response.end(name), 1));
      }),
    );
    return { app, id: name };
  };
  current = await nextInstance();
  await gateway.route([at(current.app.port, current.id)]);

  const replace = async (): Promise<void> => {
    const old = current;
    current = await nextInstance();
    await gateway.route([at(current.app.port, current.id)]);
    await until("the old instance to be drained", async () => (await gateway.use(old.id)).inflight === 0, {
      everyMs: 2,
    });
    await old.app[Symbol.asyncDispose]();
  };

  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  const ask = (index: number): Promise<string> =>
    new Promise((resolve) => {
      const method = index % 3 === 0 ? "POST" : "GET";
      const call = request(
        { agent, method, port: gateway.port, host: "127.0.0.1", headers: { host } },
        (response) => {
          let text = "";
          response
            .on("data", (bytes: Buffer) => (text += bytes))
            .on("end", () => resolve(`${response.statusCode} ${text}`));
        },
      );
      call.on("error", (error) => resolve(error.message));
      call.end(method === "POST" ? "body" : undefined);
    });
  const answers: string[] = [];
  let next = 0;
  const user = async (): Promise<void> => {
    while (next < 3_000) answers.push(await ask(next++));
  };
  const users = Promise.all(Array.from({ length: 16 }, user));
  for (let swap = 1; swap <= 30; swap++) {
    await until(`${swap * 90} answers`, () => answers.length >= swap * 90, { everyMs: 2, withinMs: 60_000 });
    await replace();
  }
  await users;
  agent.destroy();
  expect(answers.filter((text) => !/^200 g\d+$/.test(text))).toEqual([]);
  expect(new Set(answers).size).toBeGreaterThan(20);
}, 120_000);

test("a kept connection that the app closes just as it is used again costs an idempotent request nothing", async () => {
  // Each connection answers once and, at the next request's first byte, is closed without a word: the race, every time.
  let requests = 0;
  await using app = await aRawApp((socket) => {
    socket.once("data", () => {
      requests++;
      socket.write(answer(`answer ${requests}`));
      socket.once("data", () => socket.destroy());
    });
  });
  await using gateway = await aGateway({ upstreamIdleTimeoutMs: 600_000 });
  await gateway.route([at(app.port)]);
  using client = await aClient(gateway.port);
  for (const method of ["GET", "PUT", "DELETE", "OPTIONS", "GET"]) {
    const before = client.text().length;
    client.send(get("/", "Content-Length: 0").replace("GET", method));
    await until(`the answer to ${method}`, () => client.text().slice(before).includes("\r\n\r\n"));
    expect(client.text().slice(before)).toMatch(/^HTTP\/1\.1 200 OK/);
  }
  expect(await gateway.metrics()).toMatch(/envoy_cluster_upstream_rq_retry\{[^}]*\} 4/);
});

test("a kept connection that says 408 in the place of an answer costs nothing either", async () => {
  await using app = await aRawApp((socket) => {
    socket.once("data", () => {
      socket.write(answer("fine"));
      socket.once("data", () =>
        socket.end("HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"),
      );
    });
  });
  await using gateway = await aGateway({ upstreamIdleTimeoutMs: 600_000 });
  await gateway.route([at(app.port)]);
  using client = await aClient(gateway.port);
  for (let count = 1; count <= 3; count++) {
    client.send(get());
    await until(`answer ${count}`, () => client.text().split("200 OK").length === count + 1);
  }
  expect(client.text()).not.toContain("HTTP/1.1 408");
});

test("a request that may not be repeated never goes out on a used connection, and never twice", async () => {
  const seen: string[] = [];
  await using app = await aRawApp((socket) => {
    let served = 0;
    socket.on("data", (bytes: Buffer) => {
      seen.push(`${bytes.toString().split(" ")[0]} ${served++ === 0 ? "fresh" : "used"}`);
      if (bytes.includes("/die")) socket.destroy();
      else socket.write(answer("fine"));
    });
  });
  await using gateway = await aGateway({ upstreamIdleTimeoutMs: 600_000 });
  await gateway.route([at(app.port)]);
  using client = await aClient(gateway.port);
  const calls = [
    get(),
    get(),
    get().replace("GET", "POST"),
    get().replace("GET", "PATCH"),
    get("/die").replace("GET", "POST"),
  ];
  for (const [index, call] of calls.entries()) {
    client.send(call);
    await until(`answer ${index + 1}`, () => client.text().split("HTTP/1.1 ").length === index + 2);
  }
  expect(seen).toEqual(["GET fresh", "GET used", "POST fresh", "PATCH fresh", "POST fresh"]);
  expect(client.text()).toMatch(/502 Bad Gateway[^]*not repeated/);
});

test("a refused connection is tried on another instance, whatever the request is; its body arrives whole", async () => {
  await using app = await anApp((incoming, response) => {
    let text = "";
    incoming.on("data", (bytes: Buffer) => (text += bytes)).on("end", () => response.end(`<${text}>`));
  });
  const dead = await aClosedPort();
  await using gateway = await aGateway({ upstreamIdleTimeoutMs: 600_000 });
  await gateway.route([at(dead, "dead"), at(app.port, "alive")]);
  using client = await aClient(gateway.port);
  for (let count = 1; count <= 6; count++) {
    client.send(`POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 5\r\n\r\nhello`);
    await until(`answer ${count}`, () => client.text().split("<hello>").length === count + 1);
  }
  expect(await gateway.metrics()).toMatch(/envoy_cluster_upstream_cx_connect_fail\{[^}]*\} [1-6]\n/);
});

test("two instances share the requests, the less busy one first", async () => {
  const [held, served] = [[] as (() => void)[], { a: 0, b: 0 }];
  await using a = await anApp((_, response) => {
    served.a++;
    held.push(() => response.end("a"));
  });
  await using b = await anApp((_, response) => {
    served.b++;
    response.end("b");
  });
  await using gateway = await aGateway({ upstreamIdleTimeoutMs: 600_000 });
  await gateway.route([at(a.port, "a"), at(b.port, "b")]);
  using waiting = await aClient(gateway.port);
  using client = await aClient(gateway.port);
  waiting.send(get());
  await until("the first request to be taken", () => served.a + served.b === 1);
  for (let count = 1; count <= 10; count++) {
    client.send(get());
    await until(
      `answer ${count}`,
      () => client.text().split("200 OK").length === count + 1 || held.length > 1,
    );
  }
  expect(served).toEqual({ a: 1, b: 10 });
  for (const end of held) end();
  await waiting.sees("200 OK");
});

test("an instance taken out of the table gets nothing new; its open requests and WebSockets end in peace", async () => {
  const ends: (() => void)[] = [];
  await using old = await anApp(
    (_, response) => void ends.push(() => response.end("old, whole")),
    (server) =>
      server.on("upgrade", (_request, socket) => {
        socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
        socket
          .on("data", (bytes: Buffer) => socket.write(`<${bytes.toString()}>`))
          .on("end", () => socket.end());
      }),
  );
  await using fresh = await anApp((_, response) => response.end("fresh"));
  await using gateway = await aGateway({ upstreamIdleTimeoutMs: 600_000 });
  await gateway.route([at(old.port, "old")]);
  using open = await aClient(gateway.port);
  using socket = await aClient(gateway.port);
  using client = await aClient(gateway.port);
  open.send(get());
  socket.send(get("/ws", "Connection: Upgrade", "Upgrade: websocket"));
  await socket.sees("101 Switching");
  await until("both to be counted", async () => (await gateway.use("old")).inflight === 2);

  await gateway.route([at(fresh.port, "fresh")]);
  expect(await gateway.use("old")).toEqual({ id: "old", inflight: 2, known: false });
  client.send(get());
  await client.sees("fresh");
  socket.send("still open");
  await socket.sees("<still open>");
  for (const end of ends) end();
  await open.sees("old, whole");
  socket.socket.end();
  await until("the old instance to be free", async () => (await gateway.use("old")).inflight === 0);
  await until("its connections to be closed", () => old.connections.size === 0);
});

test("an instance never gets more requests at once than its bound; who waits is served in turn, who is too many is told", async () => {
  let most = 0;
  const ends: (() => void)[] = [];
  await using app = await anApp((_, response) => {
    ends.push(() => response.end("served"));
    most = Math.max(most, ends.length);
  });
  await using gateway = await aGateway({ socketsPerUpstreamMax: 2, waitingPerUpstreamMax: 3 });
  await gateway.route([at(app.port)]);
  await using stack = new AsyncDisposableStack();
  const clients = await Promise.all(
    Array.from({ length: 5 }, async () => stack.use(await aClient(gateway.port))),
  );
  for (const [index, client] of clients.entries())
    client.send(index % 2 === 0 ? get() : get().replace("GET", "POST"));
  await until(
    "two to be served and three to wait",
    async () => ends.length === 2 && (await gateway.use(`i-${app.port}`)).inflight === 5,
  );
  using sixth = await aClient(gateway.port);
  sixth.send(get());
  expect(await sixth.sees(/request_id[^]*\n$/)).toMatch(/^HTTP\/1\.1 503 [^]*more requests open/);
  await until("all to be served", () => {
    for (const end of ends.splice(0)) end();
    return clients.every((client) => client.text().endsWith("served"));
  });
  expect(most).toBe(2);
});
