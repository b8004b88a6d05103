import { readFile, writeFile } from "node:fs/promises";
import { until } from "@starform/std/retry";
import { describe, expect, test } from "vitest";
import {
  aClient,
  aClosedPort,
  aGateway,
  anApp,
  aRawApp,
  aRoute,
  at,
  get,
  host,
} from "./gateway-under-test.ts";

const post = (...lines: string[]): string =>
  `POST / HTTP/1.1\r\nHost: ${host}\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`;

describe("what the gateway says itself", () => {
  test.each([
    ["unknown host", 404, "Not Found", undefined, /No service is published at web-shop\.localhost/],
    [
      "no_instance",
      503,
      "Service Unavailable",
      "The probe answers 500.",
      /none of its instances is ready\. The probe answers 500\./,
    ],
    ["deploying", 503, "Service Unavailable", undefined, /The first instance of the service web is starting/],
    ["stopped", 503, "Service Unavailable", undefined, /has been stopped/],
    [
      "crashed",
      502,
      "Bad Gateway",
      "It exited with code 1.",
      /ended unexpectedly[^]*It exited with code 1\./,
    ],
  ] as const)(
    "%s: %i with what happened, what to do next and the request's id, for programs and for people",
    async (state, status, words, reason, what) => {
      await using gateway = await aGateway();
      if (state !== "unknown host")
        await gateway.route([], { state, ...(reason === undefined ? {} : { reason }) });
      using client = await aClient(gateway.port);

      client.send(get("/", "X-Request-Id: find-me"));
      const machine = await client.sees(/request_id[^]*\n$/);
      expect(machine).toMatch(new RegExp(`^HTTP/1.1 ${status} ${words}\r\n`));
      expect(machine).toContain("Content-Type: application/problem+json");
      const problem = JSON.parse(machine.slice(machine.indexOf("\r\n\r\n"))) as Record<string, unknown>;
      expect(problem).toMatchObject({ status, request_id: "find-me" });
      expect(problem["detail"]).toMatch(what);
      expect(problem["detail"]).toMatch(/`starform [a-z]+/);
      expect(/retry-after: \d/i.test(machine)).toBe(status === 503 || state === "crashed");

      client.send(get("/", "Accept: text/html,*/*", "X-Request-Id: find-me-too"));
      const page = await client.sees("</html>\n");
      expect(page).toMatch(/What to do next[^]*<code>starform [^]*find-me-too/);
      expect(page).toContain("prefers-color-scheme:dark");
      expect(page).not.toMatch(/<script/);
    },
  );

  test("never puts what a stranger sent into a page as markup", async () => {
    await using gateway = await aGateway();
    await gateway.route([], { state: "crashed", reason: "<img src=x onerror=alert(1)>" });
    using client = await aClient(gateway.port);
    client.send(get("/", "Accept: text/html"));
    expect(await client.sees("</html>")).toContain("&lt;img src=x onerror=alert(1)&gt;");
  });

  test("keeps the connection for a request without a body, ends it when a body is left unread", async () => {
    await using gateway = await aGateway();
    using client = await aClient(gateway.port);
    client.send(Array.from({ length: 50 }, () => get()).join(""));
    await until("50 answers", () => client.text().split("HTTP/1.1 404").length === 51);
    client.send(`${post("Content-Length: 1000")}partial`);
    expect(await client.ended()).toMatch(/404[^]*Connection: close/);
  });
});

describe("an app that fails", () => {
  const faulty = [
    ["closes the connection without an answer", 502, /closed the connection/, () => "", "end"],
    ["resets it", 502, /closed the connection/, () => "", "reset"],
    ["answers with something else than HTTP", 502, /not a valid HTTP/, () => "SSH-2.0-OpenSSH_9\r\n", "stay"],
    [
      "answers with two lengths",
      502,
      /two different lengths/,
      () => "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
      "stay",
    ],
    [
      "answers with both framings",
      502,
      /both Content-Length/,
      () => "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "stay",
    ],
    [
      "switches the protocol unasked",
      502,
      /without being asked/,
      () => "HTTP/1.1 101 Switching Protocols\r\n\r\n",
      "stay",
    ],
    [
      "sends an endless head",
      502,
      /longer than 32 KiB/,
      () => `HTTP/1.1 200 OK\r\nX: ${"a".repeat(40_000)}`,
      "stay",
    ],
  ] as const;
  test.each(faulty)("and %s is told as %i", async (_, status, what, answer, then) => {
    await using app = await aRawApp((socket) =>
      socket.once("data", () => {
        if (answer() !== "") socket.write(answer());
        if (then === "end") socket.end();
        if (then === "reset") socket.resetAndDestroy();
      }),
    );
    await using gateway = await aGateway();
    await gateway.route([at(app.port)]);
    using client = await aClient(gateway.port);
    client.send(get());
    expect(await client.sees(/request_id[^]*\n$/)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(client.text()).toMatch(what);
  });

  test("in the middle of an answer cuts the client off, so that half is never taken for the whole", async () => {
    await using app = await aRawApp((socket) =>
      socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")),
    );
    await using gateway = await aGateway();
    await gateway.route([at(app.port)]);
    using client = await aClient(gateway.port);
    client.send(get());
    expect(await client.ended()).toMatch(/\r\n\r\nhalf$/);
  });

  test("and takes too long is told as 504, by the route's own timeout", async () => {
    await using app = await anApp(() => undefined);
    await using gateway = await aGateway();
    await gateway.route([at(app.port)], { request_timeout_ms: 60 });
    using client = await aClient(gateway.port);
    client.send(get());
    expect(await client.sees(/request_id[^]*\n$/)).toMatch(/^HTTP\/1\.1 504 [^]*within 0\.06 s/);
    expect(await gateway.metrics()).toMatch(/envoy_cluster_upstream_rq_timeout\{[^}]*\} 1/);
    await until("the instance to be free", async () => (await gateway.use(`i-${app.port}`)).inflight === 0);
  });

  test("and falls silent within an answer is cut off", async () => {
    await using app = await anApp((_, response) => void response.write("begin"));
    await using gateway = await aGateway();
    await gateway.route([at(app.port)], { idle_timeout_ms: 60 });
    using client = await aClient(gateway.port);
    client.send(get());
    expect(await client.ended()).toContain("begin");
  });

  test("and has gone is told as 502", async () => {
    await using gateway = await aGateway({ retryFirstDelayMs: 1 });
    await gateway.route([at(await aClosedPort())]);
    using client = await aClient(gateway.port);
    client.send(get());
    expect(await client.sees(/request_id[^]*\n$/)).toMatch(/^HTTP\/1\.1 502 [^]*refused the connection/);
  });
});

describe("a client that misbehaves", () => {
  const smuggling = [
    ["both lengths", `${post("Content-Length: 6", "Transfer-Encoding: chunked")}0\r\n\r\nG`, 400],
    ["two lengths", `${post("Content-Length: 0", "Content-Length: 40")}${get("/evil")}`, 400],
    ["a disguised coding", `${post("Transfer-Encoding: xchunked")}${get("/evil")}`, 501],
    ["lines that end with LF alone", `GET / HTTP/1.1\nHost: ${host}\n\n`, 400],
    ["a space before a colon", post("Content-Length : 5"), 400],
    ["binary rubbish", "\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400],
    ["a head without an end", get("/", `X: ${"a".repeat(40_000)}`), 431],
  ] as const;
  test.each(smuggling)(
    "by %s is refused and cut off; the app sees nothing of it",
    async (_, bytes, status) => {
      let connections = 0;
      await using app = await aRawApp(() => void connections++);
      await using gateway = await aGateway();
      await gateway.route([at(app.port)]);
      using client = await aClient(gateway.port);
      client.send(bytes);
      const text = await client.ended();
      expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
      expect(text.match(/HTTP\/1\.1 \d/g)).toHaveLength(1);
      expect(connections).toBe(0);
    },
  );

  test("by a broken chunk gets 400, and the app sees a broken request, never a whole one", async () => {
    let outcome = "";
    await using app = await anApp((request) =>
      request
        .on("end", () => (outcome = "whole"))
        .on("error", () => undefined)
        .on("close", () => (outcome ||= "broken"))
        .resume(),
    );
    await using gateway = await aGateway();
    await gateway.route([at(app.port)]);
    using client = await aClient(gateway.port);
    client.send(`${post("Transfer-Encoding: chunked")}5\r\nhello\r\nzz\r\n`);
    expect(await client.ended()).toMatch(/^HTTP\/1\.1 400 /);
    await until("the app's view", () => outcome !== "");
    expect(outcome).toBe("broken");
  });

  test("by sending its head a byte at a time is told 408; one that sends nothing is closed without a word", async () => {
    await using gateway = await aGateway({ headTimeoutMs: 1_500 });
    using slow = await aClient(gateway.port);
    using silent = await aClient(gateway.port);
    slow.send("GET / HT");
    expect(await slow.ended()).toMatch(/^HTTP\/1\.1 408 /);
    expect(await silent.ended()).toBe("");
  });

  test("by stopping in the middle of a body is told 408, and the app is left", async () => {
    await using app = await anApp((request) => void request.on("error", () => undefined).resume());
    await using gateway = await aGateway({ bodyIdleTimeoutMs: 100 });
    await gateway.route([at(app.port)]);
    using client = await aClient(gateway.port);
    client.send(`${post("Content-Length: 100")}some`);
    expect(await client.ended()).toMatch(/^HTTP\/1\.1 408 /);
    await until("the app to be left", () => app.connections.size === 0);
  });
});

describe("the admin API", () => {
  test.each([
    ["is not JSON", "{"],
    ["has an unknown field", { routes: [], colour: "red" }],
    ["has a port that is none", { routes: [aRoute([{ id: "a", host: "127.0.0.1", port: 0 }])] }],
    [
      "gives one host name to two routes",
      { routes: [aRoute([]), aRoute([], { name: `${"c".repeat(64)}-production` })] },
    ],
    ["gives one upstream two addresses", { routes: [aRoute([at(1, "same"), at(2, "same")])] }],
    ["gives a name that is no route's", { routes: [aRoute([], { name: 'x"} 1\nforged' })] }],
  ])("refuses a table that %s with 422, and the last good one stays", async (_, table) => {
    await using app = await anApp((_request, response) => response.end("still here"));
    await using gateway = await aGateway();
    await gateway.route([at(app.port)]);
    const { status, body } = await gateway.put(table);
    expect([status, body.detail]).toEqual([422, expect.stringContaining("the last good one stays")]);
    using client = await aClient(gateway.port);
    client.send(get());
    await client.sees("still here");
  });

  test("keeps the live table on disk, and a broken file is set aside, not served and not lost", async () => {
    const { openGateway } = await import("../src/wiring/gateway.ts");
    await using gateway = await aGateway();
    await gateway.route([], { state: "crashed", reason: "from the disk" });
    const config = (stateFile: string) => ({
      traffic: { host: "127.0.0.1", port: 0 },
      admin: { host: "127.0.0.1", port: 0, token: "x".repeat(16) },
      stateFile,
      telemetry: undefined,
    });
    {
      await using again = await openGateway(config(gateway.stateFile));
      using client = await aClient(again.port);
      client.send(get());
      await client.sees("from the disk");
    }
    await writeFile(gateway.stateFile, '{"routes": [');
    await using third = await openGateway(config(gateway.stateFile));
    using client = await aClient(third.port);
    client.send(get());
    await client.sees("404 Not Found");
    expect(await readFile(`${gateway.stateFile}.broken`, "utf8")).toBe('{"routes": [');
  });

  test("opens to its token only", async () => {
    await using gateway = await aGateway();
    for (const call of ["/routes", "/metrics", "/upstreams/x"])
      expect(
        (
          await fetch(`http://127.0.0.1:${gateway.adminPort}${call}`, {
            headers: { authorization: "Bearer wrong" },
          })
        ).status,
      ).toBe(401);
    expect((await fetch(`http://127.0.0.1:${gateway.adminPort}/healthz`)).status).toBe(200);
  });
});
