import { once } from "node:events";
import type { AddressInfo, Server } from "node:net";

/** Resolves with the port once the server listens; says what to do, and which setting it is, if another program has it. */
export async function listen(
  server: Server,
  { host, port }: { host: string; port: number },
  setting?: string,
): Promise<number> {
  server.listen(port, host, 1_024);
  try {
    await once(server, "listening");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    throw new Error(
      `port ${port} of ${host} is used by another program: stop that one${setting ? `, or set ${setting} to a free port` : ""}`,
      { cause: error },
    );
  }
  return (server.address() as AddressInfo).port;
}
