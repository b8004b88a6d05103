import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createProject } from "@starform/contract/projects";
import { client } from "@starform/client/client";
import { pino } from "pino";
import { freePort } from "../apps/embedded/src/postgres/start-throw-away.ts";
import { migrate } from "../apps/starbase/src/adapters/postgres/migrate.ts";
import { readConfig } from "../apps/starbase/src/config.ts";
import { openApiServer } from "../apps/starbase/src/wiring/api.ts";
import type { Ask } from "./load.ts";

const token = "sf_token-of-the-benchmark";

/** The real API over a database, with one project to read and write. */
export async function openBenchApi(
  databaseUrl: string,
): Promise<AsyncDisposable & { projectId: string; read: Ask; write: Ask }> {
  await migrate(databaseUrl);
  const dataDir = mkdtempSync(join(tmpdir(), "starform-bench-"));
  const url = `http://127.0.0.1:${await freePort()}`;
  const config = readConfig({
    STARBASE_PORT: new URL(url).port,
    STARBASE_DATABASE_URL: databaseUrl,
    STARBASE_PUBLIC_URL: url,
    STARBASE_DASHBOARD_URL: url,
    STARBASE_GATEWAY_URL: url,
    STARBASE_APPS_DOMAIN: "localhost",
    STARBASE_DATA_DIR: dataDir,
    STARBASE_ENCRYPTION_KEY: `k:${Buffer.alloc(32).toString("base64")}`,
    STARBASE_SESSION_KEY: "k".repeat(32),
    STARBASE_OWNER_TOKEN: token,
    STARBASE_CLUSTER_ID: "018f0000-0000-7000-8000-000000000001",
    STARBASE_CLUSTER_TOKEN: "a token of the cluster",
    STARBASE_CLICKHOUSE_URL: "http://127.0.0.1:9",
  });
  const api = await openApiServer(config, pino({ level: "silent" }));
  const project = await client({ url, token: () => token })(createProject, { body: { slug: "bench" } });
  const headers = { authorization: `Bearer ${token}` };
  return {
    projectId: project.id,
    read: { method: "GET", url: `${url}/v1/projects/${project.id}`, headers },
    write: {
      method: "PATCH",
      url: `${url}/v1/projects/${project.id}/environments/production`,
      headers,
      body: () => '{"isProtected":false}',
    },
    async [Symbol.asyncDispose]() {
      await api[Symbol.asyncDispose]();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
