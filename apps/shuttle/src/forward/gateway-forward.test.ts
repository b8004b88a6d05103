import { once } from "node:events";
import { createServer, request, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, expect, test } from "vitest";
import { gatewayAddress } from "./gateway-address.ts";
import { openGatewayForward } from "./gateway-forward.ts";

const stack = new AsyncDisposableStack();
afterAll(() => stack.disposeAsync());

/** A server that answers what it was asked for; its own words are by the name. */
async function anEcho(name: string, headers: Record<string, string> = {}): Promise<number> {
  const server = createServer((asked, answer) => {
    answer.writeHead(200, headers).end(`${name} ${asked.method} ${asked.headers.host} ${asked.url}`);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  stack.defer(() => void (server.closeAllConnections(), server.close()));
  return (server.address() as AddressInfo).port;
}

async function ask(port: number, path: string, { method = "GET", host = "app.localhost" } = {}) {
  const sent = request({ host: "127.0.0.1", port, path, method, headers: { host }, agent: false }).end();
  const [answer] = (await once(sent, "response")) as [IncomingMessage];
  const body = (await answer.toArray()).join("");
  return { status: answer.statusCode, body, headers: answer.headers };
}

test("a host of an app reaches the cluster's gateway as it was asked for, and a gateway that is not there is told", async () => {
  const upstream = await anEcho("gateway");
  let address: { host: string; port: number } | undefined;
  const forward = stack.use(await openGatewayForward({ port: 0, address: async () => address }));
  expect(await ask(forward.port, "/")).toMatchObject({
    status: 503,
    body: expect.stringContaining("no address yet"),
  });
  address = { host: "127.0.0.1", port: upstream };
  expect((await ask(forward.port, "/a?b=1", { host: "web-shop.localhost:4402" })).body).toBe(
    "gateway GET web-shop.localhost:4402 /a?b=1",
  );
  address = { host: "127.0.0.1", port: 1 };
  expect(await ask(forward.port, "/")).toMatchObject({
    status: 503,
    body: expect.stringContaining("--gateway-address"),
  });
});

test("the gateway's address is looked up when it is needed, and not for every connection", async () => {
  let [asked, now] = [0, 0];
  const found = gatewayAddress(
    {
      get: async () => {
        asked += 1;
        return {
          apiVersion: "gateway.networking.k8s.io/v1",
          kind: "Gateway",
          metadata: { name: "starform" },
          spec: { listeners: [{ port: 8_080 }] },
          status: asked === 1 ? {} : { addresses: [{ value: "203.0.113.7" }] },
        };
      },
    },
    () => now,
  );
  expect([await found(), await found(), asked]).toEqual([undefined, undefined, 1]);
  now = 5_001;
  expect(await found()).toEqual({ host: "203.0.113.7", port: 8_080 });
});
