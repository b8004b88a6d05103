import { execFile, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { until } from "@starform/std/retry";
import { metadataNetworks } from "@starform/std/metadata-networks";

const run = promisify(execFile);

/** A machine of its own beyond this one's network: it says the same words on all of its addresses, on port 53 as well. */
export type Outside = AsyncDisposable & {
  /** Of a server anywhere. */
  readonly url: string;
  /** One of each network where clouds have their metadata. */
  readonly metadataUrls: readonly string[];
  /** Where no build may ask: those, and the store's. */
  readonly refusedUrls: readonly string[];
  /** As the host of a store of the platform's. */
  readonly storeHost: string;
};

export const words = "from the outside";

const serve = `const server = () => require("node:http").createServer((_, response) => response.end("${words}"));
server().listen(53, "0.0.0.0", () => server().listen(8080, "0.0.0.0", () => console.log("ready")));`;

/** From this machine itself; another such machine that goes may take a way to the same address along. */
export const untilAnswered = (urls: readonly string[]) =>
  until("the outside answers", async () => {
    const said = urls.map(async (url) => (await fetch(url, { signal: AbortSignal.timeout(2_000) })).text());
    const all = await Promise.all(said).catch(() => []);
    return all.length > 0 && all.every((text) => text === words);
  });

/** Needs root and iproute2. */
export async function openOutside(): Promise<Outside> {
  await using stack = new AsyncDisposableStack();
  const number = randomInt(0, 60);
  const [name, device] = [`outside-${process.pid}-${number}`, `ext${process.pid % 10_000}x${number}`];
  const [here, there] = [`192.88.99.${number * 4 + 1}`, `192.88.99.${number * 4 + 2}`];
  const metadata = metadataNetworks.v4.map((network) =>
    network.endsWith("/32") ? network.slice(0, -3) : `169.254.${randomInt(1, 250)}.${randomInt(1, 250)}`,
  );
  const storeHost = `198.51.100.${number * 4 + 2}`;
  const more = [...metadata, storeHost];
  await run("ip", ["netns", "add", name]);
  stack.defer(async () => void (await run("ip", ["netns", "delete", name]).catch(() => undefined)));
  await run("ip", ["link", "add", device, "type", "veth", "peer", "name", "eth0", "netns", name]);
  stack.defer(async () => void (await run("ip", ["link", "delete", device]).catch(() => undefined)));
  await run("ip", ["addr", "add", `${here}/30`, "dev", device]);
  await run("ip", ["link", "set", device, "up"]);
  // Some of them are the same for each such machine.
  const way = ["via", there, "dev", device, "onlink", "metric", String(1_000 + process.pid)];
  for (const address of more) await run("ip", ["route", "add", `${address}/32`, ...way]);
  const within = [
    "ip link set lo up",
    `ip addr add ${there}/30 dev eth0`,
    ...more.map((address) => `ip addr add ${address}/32 dev lo`),
    "ip link set eth0 up",
    `ip route add default via ${here}`,
  ];
  await run("nsenter", [`--net=/run/netns/${name}`, "/bin/sh", "-ec", within.join("\n")]);
  const server = spawn("nsenter", [`--net=/run/netns/${name}`, process.execPath, "-e", serve], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  stack.defer(async () => {
    server.kill("SIGKILL");
    if (server.exitCode === null && server.signalCode === null) await once(server, "exit");
  });
  for await (const line of createInterface(server.stdout)) if (line === "ready") break;
  const opened = stack.move();
  const urlOf = (address: string) => `http://${address}:8080`;
  return {
    url: urlOf(there),
    metadataUrls: metadata.map(urlOf),
    refusedUrls: more.map(urlOf),
    storeHost,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
