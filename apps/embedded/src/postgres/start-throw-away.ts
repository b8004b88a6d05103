import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSupervisor } from "../supervisor/supervisor.ts";
import { postgresCluster } from "./cluster.ts";

/** A PostgreSQL that is gone without a trace when it is disposed of, and that never waits for the disk. */
export async function startThrowAwayPostgres(): Promise<{ url: string } & AsyncDisposable> {
  const dataDir = mkdtempSync(join(tmpdir(), "starform-postgres-"));
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
  const supervisor = openSupervisor([program], { runDir, logDir, onEvent: () => undefined });
  const dispose = async () => {
    await supervisor.stop();
    rmSync(dataDir, { recursive: true, force: true });
  };
  await supervisor.start().catch(async (error) => {
    await dispose();
    throw error;
  });
  return { url: cluster.url, [Symbol.asyncDispose]: dispose };
}

/** A port nobody listened on a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}
