import { createServer, connect, type Socket } from "node:net";

/** A way to the database that can be cut. Who asks in vain is known by the name a connection begins with. */
export async function aWayTo(url: string) {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  const refused: string[] = [];
  let isCut = false;
  const server = createServer((near) => {
    sockets.add(near);
    near.on("error", () => near.destroy()).on("close", () => sockets.delete(near));
    if (isCut)
      return near.once("data", (hello) => {
        refused.push(/application_name\0([^\0]+)/.exec(hello.toString("latin1"))?.[1] ?? "");
        near.destroy();
      });
    const far = connect(Number(target.port), target.hostname);
    near.on("close", () => far.destroy());
    far.on("error", () => near.destroy()).on("close", () => near.destroy());
    return near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const through = new URL(url);
  through.hostname = "127.0.0.1";
  through.port = String((server.address() as { port: number }).port);
  return {
    url: through.toString(),
    refused: (who: string) => refused.filter((name) => name === who).length,
    cut() {
      isCut = true;
      for (const socket of sockets) socket.destroy();
    },
    mend() {
      isCut = false;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
