import { mkdir } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { TelemetryConfig } from "./config.ts";
import { openEngine } from "./engine.ts";
import { httpInterface } from "./http-interface.ts";
import { openSampleTable } from "./metrics/sample-table.ts";
import { scrape } from "./metrics/scrape.ts";

export interface Telemetry extends AsyncDisposable {
  readonly port: number;
  readonly version: string;
}

/**
 * Opens the store and serves it. Disposal refuses new requests, lets those that run end, and closes the engine.
 * Rejects with one sentence when the directory is held, the port taken or the platform without an engine.
 */
export async function openTelemetry(config: TelemetryConfig): Promise<Telemetry> {
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  await using stack = new AsyncDisposableStack();
  const engine = stack.use(await openEngine(config.dataDir));
  const samples = await openSampleTable(engine);
  const serve = httpInterface(engine, { password: config.password, samples });
  // Query parameters travel in the URL: a search over many services needs more than the default 16 KiB.
  const server = createServer(
    { maxHeaderSize: 256 << 10, keepAliveTimeout: 30_000, requestTimeout: 60_000 },
    (request, response) => void serve(request, response),
  );
  server.maxConnections = 512;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(
        error.code === "EADDRINUSE"
          ? new Error(
              `telemetry cannot listen on ${config.host}:${config.port}: the port is taken. Stop what listens there, or set TELEMETRY_PORT.`,
            )
          : error,
      ),
    );
    server.listen(config.port, config.host, resolve);
  });
  stack.defer(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
        // A reader that takes no bytes must not hold the end for ever.
        setTimeout(() => server.closeAllConnections(), 5_000).unref();
      }),
  );
  if (config.scrape.length > 0)
    stack.use(scrape(config.scrape, samples, (sentence) => console.error(`telemetry: ${sentence}`)));
  const opened = stack.move();
  return {
    port: (server.address() as AddressInfo).port,
    version: engine.version,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
