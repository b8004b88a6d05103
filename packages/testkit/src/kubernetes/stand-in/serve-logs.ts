import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { selfSignedCertificate } from "@starform/std/self-signed-certificate";
import type { Cluster } from "../cluster.ts";
import { linesOfContainer, selected } from "../http/pod-log.ts";
import { ApiError } from "../model/api-error.ts";

/** The kubelet's own door, where the API server fetches logs: `/containerLogs/<namespace>/<pod>/<container>`. */
export async function serveLogs(cluster: Cluster): Promise<AsyncDisposable & { readonly port: number }> {
  const { certificate, key } = selfSignedCertificate("a node", new Date(Date.now() - 60_000), ["127.0.0.1"]);
  const server = createServer({ cert: certificate, key }, ({ url = "/" }, response) => {
    const { pathname, searchParams: query } = new URL(url, "https://node");
    const [, place, namespace = "", name = "", container = ""] = pathname.split("/").map(decodeURIComponent);
    const pod = cluster.store.get("pods", namespace, name);
    if (place !== "containerLogs" || !pod) return void response.writeHead(404).end(`pod "${name}" not found`);
    try {
      const lines = linesOfContainer(pod, container, { query, cluster });
      response
        .writeHead(200, { "content-type": "text/plain" })
        .end(selected(lines, query, cluster.clock.now()));
    } catch (error) {
      const [status, text] = error instanceof ApiError ? [error.code, error.message] : [500, String(error)];
      response.writeHead(status).end(text);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
