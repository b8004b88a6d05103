import { createServer, connect, type Socket } from "node:net";
import { openTestDatabase } from "@starform/testkit/postgres";
import { until } from "@starform/std/retry";
import { pino } from "pino";
import { expect, test } from "vitest";
import { announcer, listenForChanges } from "../src/adapters/postgres/changes.ts";
import { openDatabase } from "../src/adapters/postgres/database.ts";
import { openJobRunner } from "../src/adapters/postgres/job-runner.ts";
import { migrate } from "../src/adapters/postgres/migrate.ts";

/** A way to the database that can be cut. */
async function aWayTo(url: string) {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  let [isCut, refused] = [false, 0];
  const server = createServer((near) => {
    if (isCut) {
      refused += 1;
      return near.destroy();
    }
    const far = connect(Number(target.port), target.hostname);
    sockets.add(near);
    const end = () => {
      sockets.delete(near);
      near.destroy();
      far.destroy();
    };
    near.on("error", end).on("close", end);
    far.on("error", end).on("close", end);
    near.pipe(far).pipe(near);
    return undefined;
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const through = new URL(url);
  through.hostname = "127.0.0.1";
  through.port = String((server.address() as { port: number }).port);
  return {
    url: through.toString(),
    open: () => sockets.size,
    refused: () => refused,
    cut() {
      isCut = true;
      for (const socket of sockets) socket.destroy();
    },
    mend() {
      isCut = false;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test("comes back over one connection each, however long the database was away", async () => {
  await using stack = new AsyncDisposableStack();
  const { url } = stack.use(await openTestDatabase());
  await migrate(url);
  const { db, pool } = stack.use(openDatabase({ url, poolMax: 4, onError: () => undefined }));
  const way = stack.use(await aWayTo(url));
  const changes = stack.use(await listenForChanges(way.url, () => undefined));
  const logger = pino({ level: "silent" });
  stack.use(await openJobRunner({ pool, url: way.url, handlers: [], crons: [], concurrency: 1, logger }));
  await until("both are connected", () => way.open() === 2);
  way.cut();
  // Loops that breed would be many by now: each failed attempt would have begun another.
  await until("both have tried in vain for a while", () => way.refused() >= 7, { withinMs: 30_000 });
  way.mend();
  let heard = 0;
  changes.on("identity", () => heard++);
  await until("changes are heard of again", async () => {
    await announcer(db).announce({ kind: "identity" });
    return heard > 1;
  });
  await until("both are connected again", () => way.open() >= 2);
  expect(way.open()).toBe(2);
});
