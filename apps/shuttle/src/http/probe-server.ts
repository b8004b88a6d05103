import { once } from "node:events";
import { timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

type Deps = {
  /** Undefined when ready; otherwise what is still missing. */
  readonly notReady: () => string | undefined;
  readonly metrics: () => Promise<string>;
  /** What a scraper must bear; undefined where the network keeps others out. */
  readonly metricsToken: string | undefined;
};

/** `/healthz`, `/readyz` and `/metrics`, for the supervisor and the scraper. */
export async function openProbeServer(
  { notReady, metrics, metricsToken }: Deps,
  address: { host: string; port: number },
): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer((request, response) => {
    const answer = (status: number, type: string, body: string) => {
      response.writeHead(status, { "content-type": type });
      response.end(body);
    };
    const path = (request.url ?? "/").split("?")[0];
    if (path === "/healthz") return answer(200, "application/json", '{"status":"ok"}\n');
    if (path === "/readyz") {
      const missing = notReady();
      return answer(
        missing ? 503 : 200,
        "application/json",
        `${JSON.stringify(missing ? { status: "not_ready", reason: missing } : { status: "ready" })}\n`,
      );
    }
    if (path !== "/metrics") return answer(404, "text/plain", "there is /healthz, /readyz and /metrics\n");
    if (metricsToken && !isSame(request.headers.authorization, `Bearer ${metricsToken}`))
      return answer(401, "text/plain", "the metrics are for the bearer of STARFORM_METRICS_TOKEN\n");
    metrics().then(
      (text) => answer(200, "text/plain; version=0.0.4; charset=utf-8", text),
      (error: unknown) => answer(500, "text/plain", `${String(error)}\n`),
    );
  });
  server.listen(address.port, address.host);
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Compared in constant time, so that a token cannot be felt for. */
function isSame(given: string | undefined, right: string): boolean {
  const [a, b] = [Buffer.from(given ?? ""), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}
