import { createServer } from "node:net";
import { once } from "node:events";
import { until } from "@starform/std/retry";
import { expect, test } from "vitest";
import {
  aClient,
  aClosedPort,
  aGateway,
  anApp,
  aRoute,
  at,
  host,
  type Gateway,
} from "./gateway-under-test.ts";

/** Linux has every address of 127.0.0.0/8, so each can stand for this machine's address in a network. */
const [door, otherDoor] = ["127.3.0.1", "127.4.0.1"];
const [neighbour, stranger] = ["127.3.0.9", "127.4.0.9"];

const ask = (name: string) => `GET /path HTTP/1.1\r\nHost: ${name}:8080\r\nConnection: close\r\n\r\n`;
const askAt = async (
  way: { host: string; port: number; localAddress: string },
  name: string,
): Promise<string> => {
  using client = await aClient(way.port, way);
  client.send(ask(name));
  return await client.ended();
};
async function aNetwork(gateway: Gateway) {
  const port = await aClosedPort();
  const doorOf = (address: string) => ({ host: address, port, from: address.replace("0.1", "0.0/16") });
  const answers = (name: string, localAddress = neighbour, address = door) =>
    askAt({ host: address, port, localAddress }, name);
  const untilOpen = (address: string) =>
    until(`the door ${address}`, async () => (await gateway.door(doorOf(address))).isOpen);
  return { port, doorOf, answers, untilOpen };
}

const canListen = process.platform === "linux";

test.skipIf(!canListen)(
  "a name leads on at its door only, to the ready instance, and the app sees who asked",
  async () => {
    await using app = await anApp((request, response) => response.end(JSON.stringify(request.headers)));
    await using gateway = await aGateway();
    const network = await aNetwork(gateway);
    const inside = { name: "api", door: network.doorOf(door) };
    await gateway.put({
      routes: [
        aRoute([at(app.port)], { inside }),
        aRoute([], {
          name: `${"c".repeat(64)}-production`,
          hostnames: ["other.localhost"],
          inside: { name: "api", door: network.doorOf(otherDoor) },
        }),
      ],
    });
    await network.untilOpen(door);
    await network.untilOpen(otherDoor);
    const answer = await network.answers("API");
    expect(answer).toContain("200 OK");
    expect(answer).toContain(`"x-forwarded-for":"${neighbour}"`);
    expect(answer).toContain('"x-forwarded-port":"8080"');
    expect(await network.answers("web")).toContain("There is no web service web in this environment");
    expect(await network.answers(host)).toContain("404 Not Found");
    expect(await network.answers("api", stranger, otherDoor)).toContain("503 Service Unavailable");
    expect(await askAt({ host: "127.0.0.1", port: gateway.port, localAddress: neighbour }, "api")).toContain(
      "404 Not Found",
    );
  },
);

test.skipIf(!canListen)(
  "who is not of the network is cut before a word is read, and a door that leaves the table is closed",
  async () => {
    await using app = await anApp((_request, response) => response.end("private"));
    await using gateway = await aGateway();
    const network = await aNetwork(gateway);
    await gateway.route([at(app.port)], { inside: { name: "api", door: network.doorOf(door) } });
    const said = (localAddress: string) => network.answers("api", localAddress).catch(String);
    await until("the door to open", async () => (await said(neighbour)).includes("private"));
    expect(await said(stranger)).toBe("");
    await gateway.put({ routes: [] });
    await until("the door to close", async () => (await said(neighbour)).includes("ECONNREFUSED"));
  },
);

test.skipIf(!canListen)(
  "a door that another program has is told, and taken as soon as it is free",
  async () => {
    await using app = await anApp((_request, response) => response.end("private"));
    await using gateway = await aGateway();
    const network = await aNetwork(gateway);
    const other = createServer().listen(network.port, "0.0.0.0");
    await once(other, "listening");
    expect(await gateway.door(network.doorOf(door))).toMatchObject({
      isOpen: false,
      reason: expect.stringContaining(`port ${network.port} of ${door} is used by another program`),
    });
    await gateway.route([at(app.port)], { inside: { name: "api", door: network.doorOf(door) } });
    other.close();
    await until("an answer without being asked again", async () =>
      (await network.answers("api").catch(() => "")).includes("private"),
    );
  },
);

test("two services of one name at one door are refused together", async () => {
  await using gateway = await aGateway();
  const inside = { name: "api", door: { host: door, port: 8080, from: "127.3.0.0/16" } };
  const { status, body } = await gateway.put({
    routes: [
      aRoute([], { inside }),
      aRoute([], { name: `${"c".repeat(64)}-production`, hostnames: ["other.localhost"], inside }),
    ],
  });
  expect(status).toBe(422);
  expect(body.detail).toContain("api at 127.3.0.1:8080 belongs to route");
});
