import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Client, DatabaseError } from "pg";
import { startThrowAwayPostgres } from "../../apps/embedded/src/postgres/start-throw-away.ts";

const migrateModule = new URL("../../apps/starbase/src/adapters/postgres/migrate.ts", import.meta.url);

/**
 * Hands out migrated databases to the tests of one run over a small HTTP service (see @starform/testkit/postgres):
 * one throw-away server for the run, started by the first test that asks, and one template, migrated once.
 */
export default async function setUpDatabases(): Promise<() => Promise<void>> {
  let opened: ReturnType<typeof openDatabases> | undefined;
  const databases = () => (opened ??= openDatabases());
  const server = createServer((request, response) => {
    const answer = async () => {
      const name = new URL(request.url ?? "/", "http://localhost").pathname.slice(1);
      if (request.method === "DELETE") await (await databases()).drop(name);
      return { url: request.method === "POST" ? await (await databases()).create() : "" };
    };
    answer().then(
      (body) => response.end(JSON.stringify(body)),
      (error: Error) => response.writeHead(500).end(JSON.stringify({ error: error.stack ?? error.message })),
    );
  });
  process.env["TESTKIT_DATABASES_URL"] = await listen(server);
  return async () => {
    server.close();
    server.closeAllConnections();
    await (await opened)?.[Symbol.asyncDispose]();
  };
}

async function listen(server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function openDatabases() {
  const postgres = await startThrowAwayPostgres();
  const urlOf = (name: string) => Object.assign(new URL(postgres.url), { pathname: `/${name}` }).href;
  const admin = new Client({ connectionString: urlOf("postgres") });
  admin.on("error", () => undefined);
  await admin.connect();
  await admin.query("CREATE DATABASE template");
  if (existsSync(migrateModule)) {
    const { migrate } = (await import(migrateModule.href)) as { migrate(url: string): Promise<void> };
    await migrate(urlOf("template"));
  }
  let made = 0;
  return {
    async create() {
      const name = `test_${++made}`;
      await whileBusy(() => admin.query(`CREATE DATABASE ${name} TEMPLATE template`));
      return urlOf(name);
    },
    /** Waits for connections that are still closing: dropping by force would fail the test that owns them. */
    async drop(name: string) {
      if (/^test_\d+$/.test(name)) await whileBusy(() => admin.query(`DROP DATABASE IF EXISTS ${name}`));
    },
    async [Symbol.asyncDispose]() {
      await admin.end();
      await postgres[Symbol.asyncDispose]();
    },
  };
}

async function whileBusy(act: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return void (await act());
    } catch (error) {
      if (!(error instanceof DatabaseError) || error.code !== "55006" || attempt >= 200) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
