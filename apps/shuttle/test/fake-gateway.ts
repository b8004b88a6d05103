import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { GatewayRoutes } from "@starform/contract/gateway";

/** The gateway's admin side, and a way to ask an app through its table. */
export async function openFakeGateway(token: string) {
  let table: GatewayRoutes = { routes: [] };
  let puts = 0;
  const inflight = new Map<string, number>();
  const refused: string[] = [];
  const server = createServer((request, response) => {
    const reply = (status: number, body: unknown) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(body));
    };
    if (request.headers.authorization !== `Bearer ${token}`) return reply(401, {});
    const id = request.url!.split("/")[2];
    if (request.method === "GET") return reply(200, { id, inflight: inflight.get(id!) ?? 0, known: false });
    let text = "";
    request.on("data", (part: Buffer) => (text += part));
    request.on("end", () => {
      const parsed = GatewayRoutes.safeParse(JSON.parse(text));
      if (!parsed.success) return (void refused.push(parsed.error.message), reply(422, {}));
      table = parsed.data;
      puts += 1;
      reply(200, { routes: table.routes.length, hostnames: 0, upstreams: 0, persisted: true });
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    refused,
    get puts() {
      return puts;
    },
    get table() {
      return table;
    },
    hosts: (): string[] => table.routes.flatMap((route) => route.hostnames),
    /** Sends a request to one of the host's upstreams, counted while it lasts. */
    async ask(host: string, path: string): Promise<string> {
      const upstreams = table.routes.find((route) => route.hostnames.includes(host))?.upstreams ?? [];
      const upstream = upstreams[Math.floor(Math.random() * upstreams.length)];
      if (!upstream) throw new Error(`no upstream for ${host}`);
      inflight.set(upstream.id, (inflight.get(upstream.id) ?? 0) + 1);
      try {
        const response = await fetch(
          `http://${upstream.host.includes(":") ? `[${upstream.host}]` : upstream.host}:${upstream.port}${path}`,
          { headers: { connection: "close" } },
        );
        return await response.text();
      } finally {
        inflight.set(upstream.id, inflight.get(upstream.id)! - 1);
      }
    },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}
