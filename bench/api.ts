import fastify from "fastify";
import pg from "pg";
import { startThrowAwayPostgres } from "../apps/embedded/src/postgres/start-throw-away.ts";
import { atMost, percentile, type Figure } from "./figure.ts";
import { openUsers, type Ask } from "./load.ts";
import { openBenchApi } from "./open-bench-api.ts";

const users = 100;
const rounds = 5;
const perRound = 2_000;

/** Reads and writes of 100 concurrent users over a bare Fastify + pg route that does the same query, in turns. */
export async function run(): Promise<Figure[]> {
  await using postgres = await startThrowAwayPostgres();
  await using ours = await openBenchApi(postgres.url);
  await using bare = await openBare(postgres.url, ours.projectId);
  const pairs: [string, Ask, Ask][] = [
    ["read", ours.read, bare.read],
    ["write", ours.write, bare.write],
  ];
  const figures: Figure[] = [];
  for (const [name, mine, peer] of pairs) {
    using ourUsers = openUsers(users);
    using peersUsers = openUsers(users);
    const [mines, peers]: [number[], number[]] = [[], []];
    // The first round warms both up, and lets their users in.
    for (let round = 0; round <= rounds; round++) {
      const times = await ourUsers.latencies(mine, perRound);
      const others = await peersUsers.latencies(peer, perRound);
      if (round === 0) continue;
      mines.push(...times);
      peers.push(...others);
    }
    for (const share of [0.5, 0.95, 0.99]) {
      const value = percentile(mines, share);
      figures.push(
        atMost(
          `api ${name} p${share * 100} over bare fastify + pg`,
          value,
          "ms",
          value / percentile(peers, share),
          1.5,
        ),
      );
    }
  }
  return figures;
}

/** What anybody would write first: one route, one query, no checks. */
async function openBare(
  url: string,
  projectId: string,
): Promise<AsyncDisposable & { read: Ask; write: Ask }> {
  const pool = new pg.Pool({ connectionString: url, max: 12 });
  const app = fastify();
  const held = `select p.*, w.slug as workspace_slug, m.role from projects p join workspaces w on w.id = p.workspace_id
    join workspace_members m on m.workspace_id = p.workspace_id where p.id = $1`;
  app.get<{ Params: { id: string } }>(
    "/projects/:id",
    async ({ params }) => (await pool.query(held, [params.id])).rows[0],
  );
  app.put<{ Params: { id: string }; Body: { isProtected: boolean } }>(
    "/projects/:id/environments/production",
    async ({ params, body }) => {
      const client = await pool.connect();
      try {
        await client.query("begin");
        await client.query(held, [params.id]);
        await client.query("select * from environments where project_id = $1 and name = 'production'", [
          params.id,
        ]);
        await client.query(
          "update environments set is_protected = $2 where project_id = $1 and name = 'production'",
          [params.id, body.isProtected],
        );
        await client.query(
          "insert into audit_log (id, workspace_id, project_id, at, event, actor, subject, detail) select gen_random_uuid(), workspace_id, id, now(), 'x', 'y', 'z', '{}' from projects where id = $1",
          [params.id],
        );
        await client.query("update projects set revision = revision + 1 where id = $1", [params.id]);
        await client.query("commit");
      } catch (error) {
        await client.query("rollback");
        throw error;
      } finally {
        client.release();
      }
      return { ok: true };
    },
  );
  const address = await app.listen({ port: 0, host: "127.0.0.1" });
  return {
    read: { method: "GET", url: `${address}/projects/${projectId}` },
    write: {
      method: "PUT",
      url: `${address}/projects/${projectId}/environments/production`,
      body: () => '{"isProtected":false}',
    },
    async [Symbol.asyncDispose]() {
      await app.close();
      await pool.end();
    },
  };
}
