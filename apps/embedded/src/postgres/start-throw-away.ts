import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSupervisor } from "../supervisor/supervisor.ts";
import { postgresCluster } from "./cluster.ts";

/** A PostgreSQL that is gone without a trace when it is disposed of, and that never waits for the disk. */
export async function startThrowAwayPostgres(): Promise<{ url: string } & AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const dataDir = mkdtempSync(join(tmpdir(), "starform-postgres-"));
  stack.defer(() => rmSync(dataDir, { recursive: true, force: true }));
  // As root the server may have to run as another user, who must be able to come here.
  chmodSync(dataDir, 0o755);
  const [runDir, logDir] = [join(dataDir, "run"), join(dataDir, "logs")];
  for (const dir of [runDir, logDir]) mkdirSync(dir);
  const cluster = postgresCluster({ dataDir, port: await freePort(), isThrowAway: true });
  const program = {
    name: "postgres",
    after: [],
    ...cluster,
    stopSignal: "SIGINT" as const,
    stopWithinMs: 10_000,
  };
  const supervisor = stack.use(openSupervisor([program], { runDir, logDir, onEvent: () => undefined }));
  await supervisor.start();
  const opened = stack.move();
  return { url: cluster.url, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

/** A port nobody listens on, outside the range the kernel gives to connections, so that it stays free. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (await isFree(port)) return port;
  }
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer().once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
