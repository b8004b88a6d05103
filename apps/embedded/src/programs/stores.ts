import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findProgram } from "../debian-packages.ts";
import { postgresCluster } from "../postgres/cluster.ts";
import type { Program } from "../supervisor/program.ts";
import { isHttpReady } from "./http-ready.ts";
import { isListening } from "./is-listening.ts";
import { scrapeConfig, type ScrapeTargets } from "./scrape-config.ts";

/** The embedded PostgreSQL, and the connection string of its database. */
export function postgresProgram(
  dataDir: string,
  port: number,
  password: string,
): { program: Program; url: string } {
  const cluster = postgresCluster({ dataDir, port, password });
  return {
    url: cluster.url,
    program: {
      name: "postgres",
      after: [],
      prepare: () => cluster.prepare(),
      command: cluster.command,
      isReady: async () => cluster.isReady() && (await isListening(port)),
      // Fast shutdown: SIGTERM would wait for every client to leave by itself.
      stopSignal: "SIGINT",
      stopWithinMs: 30_000,
    },
  };
}

export const metricsUser = "starform";

/**
 * VictoriaMetrics, if this machine has it; it fetches the metrics of the other processes itself. Apps that run as
 * processes can reach it, so it answers to the password only.
 */
export function metricsProgram(
  dataDir: string,
  port: number,
  password: string,
  targets: ScrapeTargets,
): Program | undefined {
  const file = findProgram("victoria-metrics");
  if (!file) return undefined;
  const scrapeFile = join(dataDir, "run", "scrape.yaml");
  const args = [
    `-promscrape.config=${scrapeFile}`,
    `-storageDataPath=${join(dataDir, "metrics")}`,
    `-httpListenAddr=127.0.0.1:${port}`,
    "-retentionPeriod=90d",
    "-memory.allowedBytes=128MB",
    `-httpAuth.username=${metricsUser}`,
    // The password is read from the environment: arguments are seen by everybody on the machine.
    "-envflag.enable",
  ];
  return {
    name: "metrics",
    after: [],
    prepare: async () => {
      await mkdir(join(dataDir, "run"), { recursive: true });
      await writeFile(scrapeFile, scrapeConfig(targets));
    },
    command: { file, args, env: { httpAuth_password: password } },
    isReady: () => isHttpReady(port, "/health"),
    stopSignal: "SIGINT",
    stopWithinMs: 15_000,
    isOptional: true,
  };
}
