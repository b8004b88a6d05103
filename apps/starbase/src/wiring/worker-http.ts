import { createServer } from "node:http";
import { pause } from "@starform/std/retry";
import type { QueueDepth, WorkerMetrics } from "../core/telemetry/worker-metrics.ts";

/** A scraper gives up after five seconds. */
const depthWithinMs = 3_000;

/** Where the Worker says that it lives (`/healthz`), and what it does (`/metrics`). */
export async function openWorkerHttp(
  { host, port }: { readonly host: string; readonly port: number },
  { metrics, depth }: { readonly metrics: WorkerMetrics; readonly depth: () => Promise<QueueDepth> },
): Promise<AsyncDisposable> {
  const server = createServer((request, response) => {
    const say = (status: number, type: string, text: string) =>
      response.writeHead(status, { "content-type": type }).end(text);
    if (request.url === "/metrics")
      return void inTime(depth).then((known) => say(200, "text/plain; version=0.0.4", metrics.text(known)));
    const isKnown = request.url === "/healthz";
    say(isKnown ? 200 : 404, "application/json", JSON.stringify({ status: isKnown ? "ok" : "not_found" }));
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, host, resolve));
  return {
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Undefined while the database does not answer: what the Worker itself has done is told all the same. */
async function inTime(depth: () => Promise<QueueDepth>): Promise<QueueDepth | undefined> {
  const over = new AbortController();
  const late = pause(depthWithinMs, over.signal).then(() => undefined);
  return Promise.race([depth().catch(() => undefined), late]).finally(() => over.abort());
}
