import { createServer } from "node:net";

/** Below the range that the system takes for outgoing connections, so that none of those gets in the way. */
const [first, last] = [20_000, 32_000];
const given = new Map<number, number>();
/** A port handed out is not handed out again before its app had time to open it. */
const holdMs = 120_000;

/** A port that nothing listens on, on any address of this machine. */
export async function freePort(isTaken: (port: number) => boolean): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const port = first + Math.floor(Math.random() * (last - first));
    if (isTaken(port) || Date.now() - (given.get(port) ?? 0) < holdMs) continue;
    if ((await isFree(port, "0.0.0.0")) && (await isFree(port, "::"))) {
      given.set(port, Date.now());
      return port;
    }
  }
  throw new Error(`no free port was found between ${first} and ${last}: end what holds them`);
}

const isFree = (port: number, host: string): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code !== "EADDRINUSE"));
    server.listen({ port, host, ipv6Only: host === "::" }, () => server.close(() => resolve(true)));
  });
