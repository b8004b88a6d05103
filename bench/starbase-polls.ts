import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pause, until } from "@starform/std/retry";
import { freePort, startThrowAwayPostgres } from "../apps/embedded/src/postgres/start-throw-away.ts";
import { openDatabase } from "../apps/starbase/src/adapters/postgres/database.ts";
import { migrate } from "../apps/starbase/src/adapters/postgres/migrate.ts";
import { postgresStores } from "../apps/starbase/src/adapters/postgres/stores.ts";
import { hashOfSecret } from "../apps/starbase/src/core/identity/secret-token.ts";
import { atMost, type Figure } from "./figure.ts";

const shuttles = 1_000;
const waitSeconds = 30;
const measuredMs = 60_000;
/** Of one core, from issue to issue the same: what polling may cost the API. */
const coreShareMax = 0.1;

const idOf = (n: number) => `018f0000-0000-7000-8000-${String(n).padStart(12, "0")}`;
const tokenOf = (n: number) => `token-of-cluster-${n}`;

/** What a thousand Shuttles that wait for news cost the API, in CPU, while there is none. */
export async function run(): Promise<Figure[]> {
  await using postgres = await startThrowAwayPostgres();
  await migrate(postgres.url);
  await makeClusters(postgres.url);
  await using api = await spawnApi(postgres.url);
  const polls = startPolling(api.url);
  await until("every Shuttle has its document and waits", () => polls.waiting() === shuttles, {
    withinMs: 60_000,
  });
  const [beforeSeconds, beganMs, answeredBefore] = [
    cpuSeconds(api.pid),
    performance.now(),
    polls.unchanged(),
  ];
  await pause(measuredMs);
  const share = (cpuSeconds(api.pid) - beforeSeconds) / ((performance.now() - beganMs) / 1_000);
  const answered = polls.unchanged() - answeredBefore;
  polls.stop();
  if (answered < shuttles) throw new Error(`only ${answered} polls were answered: nothing was measured`);
  return [
    atMost(
      `Starbase's CPU for ${shuttles} polling Shuttles`,
      share * 100,
      "% of a core",
      share / coreShareMax,
      1,
    ),
  ];
}

async function makeClusters(url: string): Promise<void> {
  await using database = openDatabase({ url, poolMax: 2, onError: () => undefined });
  const { clusters } = postgresStores(database.db);
  for (let n = 1; n <= shuttles; n++)
    await clusters.ensure({
      id: idOf(n),
      regionId: "local",
      runtime: "kubernetes",
      tokenHash: hashOfSecret(tokenOf(n)),
      createdAt: new Date(),
    });
}

function startPolling(url: string) {
  const agent = new Agent({ keepAlive: true, maxSockets: shuttles });
  const ending = new AbortController();
  let unchanged = 0;
  const waiting = new Set<number>();
  const poll = async (n: number): Promise<void> => {
    for (let etag: string | undefined; !ending.signal.aborted;) {
      if (etag) waiting.add(n);
      const asked = request(
        `${url}/api/v1/clusters/${idOf(n)}/desired-state?wait=${etag ? waitSeconds : 0}`,
        {
          agent,
          headers: { authorization: `Bearer ${tokenOf(n)}`, ...(etag ? { "if-none-match": etag } : {}) },
        },
      ).end();
      const [answer] = (await once(asked, "response")) as [import("node:http").IncomingMessage];
      answer.resume();
      await once(answer, "end");
      if (answer.statusCode === 304) unchanged += 1;
      else if (answer.statusCode !== 200) throw new Error(`Starbase answered ${answer.statusCode}`);
      etag = answer.headers.etag ?? etag;
    }
  };
  const all = Array.from({ length: shuttles }, (_, n) =>
    poll(n + 1).catch((error: unknown) => {
      if (!ending.signal.aborted) throw error;
    }),
  );
  void Promise.all(all);
  return {
    waiting: () => waiting.size,
    unchanged: () => unchanged,
    stop: () => {
      ending.abort();
      agent.destroy();
    },
  };
}

async function spawnApi(databaseUrl: string): Promise<AsyncDisposable & { url: string; pid: number }> {
  const dataDir = mkdtempSync(join(tmpdir(), "starform-bench-"));
  const url = `http://127.0.0.1:${await freePort()}`;
  const child = spawn(process.execPath, [join(import.meta.dirname, "../apps/starbase/bin/api.ts")], {
    stdio: "ignore",
    env: {
      PATH: process.env["PATH"],
      STARBASE_PORT: new URL(url).port,
      STARBASE_DATABASE_URL: databaseUrl,
      STARBASE_PUBLIC_URL: url,
      STARBASE_DASHBOARD_URL: url,
      STARBASE_GATEWAY_URL: url,
      STARBASE_APPS_DOMAIN: "localhost",
      STARBASE_DATA_DIR: dataDir,
      STARBASE_ENCRYPTION_KEY: `k:${Buffer.alloc(32).toString("base64")}`,
      STARBASE_SIGNING_KEY: `k:${Buffer.alloc(32, 1).toString("base64")}`,
      STARBASE_SESSION_KEY: "k".repeat(32),
      STARBASE_CLICKHOUSE_URL: "http://127.0.0.1:9",
    },
  });
  await until("the API answers", () => fetch(`${url}/healthz`).then(({ ok }) => ok));
  return {
    url,
    pid: child.pid!,
    async [Symbol.asyncDispose]() {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** User and system time of the process, in seconds; a tick is 10 ms on every Linux that Node runs on. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
