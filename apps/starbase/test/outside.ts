import { execFile, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A machine of its own beyond this one's network, that serves the same words on two addresses. */
export type Outside = AsyncDisposable & {
  /** Of a server anywhere. */
  readonly url: string;
  /** Of a link-local address, as clouds have for their metadata. */
  readonly metadataUrl: string;
};

export const words = "from the outside";

const serve = `require("node:http").createServer((_, response) => response.end("${words}")).listen(8080, "0.0.0.0", () => console.log("ready"))`;

/** Needs root and iproute2. */
export async function openOutside(): Promise<Outside> {
  await using stack = new AsyncDisposableStack();
  const number = randomInt(0, 60);
  const [name, device] = [`outside-${process.pid}-${number}`, `ext${process.pid % 10_000}x${number}`];
  const [here, there] = [`192.88.99.${number * 4 + 1}`, `192.88.99.${number * 4 + 2}`];
  const metadata = `169.254.${randomInt(1, 250)}.${randomInt(1, 250)}`;
  await run("ip", ["netns", "add", name]);
  stack.defer(async () => void (await run("ip", ["netns", "delete", name]).catch(() => undefined)));
  await run("ip", ["link", "add", device, "type", "veth", "peer", "name", "eth0", "netns", name]);
  stack.defer(async () => void (await run("ip", ["link", "delete", device]).catch(() => undefined)));
  await run("ip", ["addr", "add", `${here}/30`, "dev", device]);
  await run("ip", ["link", "set", device, "up"]);
  await run("ip", ["route", "add", `${metadata}/32`, "via", there, "dev", device, "onlink"]);
  const within = [
    "ip link set lo up",
    `ip addr add ${there}/30 dev eth0`,
    `ip addr add ${metadata}/32 dev lo`,
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
  return {
    url: `http://${there}:8080`,
    metadataUrl: `http://${metadata}:8080`,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
