import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DesiredState, StatusReport } from "@starform/contract/clusters";
import * as clusters from "@starform/contract/clusters";
import * as identity from "@starform/contract/identity";
import * as projects from "@starform/contract/projects";
import * as services from "@starform/contract/services";
import * as workspaces from "@starform/contract/workspaces";
import { client, type Call } from "@starform/client/client";
import { openTestDatabase } from "@starform/testkit/postgres";
import { pino } from "pino";
import { migrate } from "../src/adapters/postgres/migrate.ts";
import { readConfig, type Config } from "../src/config.ts";
import { openApiServer } from "../src/wiring/api.ts";

export const ownerToken = "sf_owner-token-of-the-test-world-0001";
export const clusterToken = "cluster-token-of-the-test-world";
export const signingKey = `k1:${Buffer.alloc(32, 9).toString("base64")}`;
export const clusterId = "018f0000-0000-7000-8000-000000000001";

export type ApiWorld = AsyncDisposable & {
  readonly url: string;
  readonly config: Config;
  /** Everything the servers wrote to their log. */
  readonly log: () => string;
  readonly owner: Call;
  readonly cluster: Call;
  as(token: string | undefined): Call;
  /** Opens the API again, as after a crash. */
  reopen(): Promise<void>;
};

/** A whole API over a database of its own: real server, real client, nothing replaced. */
export async function openApiWorld({
  runtime = "process",
  settings = {},
}: {
  runtime?: "process" | "docker";
  settings?: Readonly<Record<string, string>>;
} = {}): Promise<ApiWorld> {
  await using stack = new AsyncDisposableStack();
  const database = stack.use(await openTestDatabase());
  await migrate(database.url);
  const dataDir = await mkdtemp(join(tmpdir(), "starform-api-"));
  stack.defer(() => rm(dataDir, { recursive: true, force: true }));
  const port = await freePort();
  const config = readConfig({
    STARBASE_PORT: String(port),
    STARBASE_DATABASE_URL: database.url,
    STARBASE_PUBLIC_URL: `http://127.0.0.1:${port}`,
    STARBASE_DASHBOARD_URL: "http://127.0.0.1:4400",
    STARBASE_GATEWAY_URL: "http://127.0.0.1:4402",
    STARBASE_APPS_DOMAIN: "localhost:4402",
    STARBASE_DATA_DIR: dataDir,
    STARBASE_ENCRYPTION_KEY: `k1:${Buffer.alloc(32, 7).toString("base64")}`,
    STARBASE_SIGNING_KEY: signingKey,
    STARBASE_SESSION_KEY: "a session key of the test world, long enough",
    STARBASE_OWNER_TOKEN: ownerToken,
    STARBASE_CLUSTER_ID: clusterId,
    STARBASE_CLUSTER_TOKEN: clusterToken,
    STARBASE_RUNTIME: runtime,
    STARBASE_CLICKHOUSE_URL: "http://127.0.0.1:9",
    ...settings,
  });
  const lines: string[] = [];
  const logger = pino({ level: "debug" }, { write: (line: string) => void lines.push(line) });
  let api = await openApiServer(config, logger);
  stack.defer(() => api[Symbol.asyncDispose]());
  const as = (token: string | undefined): Call => client({ url: config.urls.api, token: () => token });
  const opened = stack.move();
  return {
    url: config.urls.api,
    config,
    log: () => lines.join(""),
    owner: as(ownerToken),
    cluster: as(clusterToken),
    as,
    async reopen() {
      await api[Symbol.asyncDispose]();
      api = await openApiServer(config, logger);
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

async function freePort(): Promise<number> {
  const { createServer } = await import("node:net");
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

let names = 0;
/** A project with one web service. */
export async function aProject(
  world: ApiWorld,
  service: Partial<{ name: string; type: "web" | "worker" }> = {},
) {
  const slug = `shop-${++names}`;
  const project = await world.owner(projects.createProject, { body: { slug } });
  const made = await world.owner(services.createService, {
    params: { project: slug },
    body: { name: "web", ...service },
  });
  return { project, service: made, ref: { project: slug, service: made.name } };
}

/** A member of the owner's workspace with a token of their own. */
export async function aMember(
  world: ApiWorld,
  email: string,
  role: "admin" | "billing" | "member",
  projectRole?: { project: string; role: "admin" | "developer" | "viewer" },
) {
  await world.owner(workspaces.putMember, { params: { workspace: "home", email }, body: { role } });
  if (projectRole)
    await world.owner(projects.putProjectMember, {
      params: { project: projectRole.project, email },
      body: { role: projectRole.role },
    });
  return world.as(await tokenOf(world, email));
}

/** Somebody who owns a workspace and is in no other, with a token for it. */
export async function aStranger(world: ApiWorld, email: string): Promise<Call> {
  const call = await aMember(world, email, "member");
  await call(workspaces.createWorkspace, { body: { slug: email.replaceAll(/[^a-z0-9]+/g, "-") } });
  await world.owner(workspaces.deleteMember, { params: { workspace: "home", email } });
  return world.as(await tokenOf(world, email));
}

/** Signs somebody in by the back door a test has: a token written straight into the store. */
async function tokenOf(world: ApiWorld, email: string): Promise<string> {
  const { openDatabase } = await import("../src/adapters/postgres/database.ts");
  const { postgresStores } = await import("../src/adapters/postgres/stores.ts");
  const { hashOfSecret, newSecret, prefixOf } = await import("../src/core/identity/secret-token.ts");
  const { uuid } = await import("@starform/std/ids");
  await using database = openDatabase({
    url: world.config.database.url,
    poolMax: 1,
    onError: () => undefined,
  });
  const stores = postgresStores(database.db);
  const user = (await stores.users.byEmail(email))!;
  const [held] = await stores.access.workspacesOf(user.id);
  const secret = newSecret("sf");
  const now = new Date();
  await stores.tokens.insert({
    id: uuid(),
    userId: user.id,
    workspaceId: held!.workspace.id,
    projectId: null,
    name: "test",
    scope: "write",
    prefix: prefixOf(secret),
    createdAt: now,
    expiresAt: null,
    lastUsedAt: null,
    secretHash: hashOfSecret(secret),
  });
  return secret;
}

export const desiredState = (world: ApiWorld): Promise<DesiredState> =>
  world.cluster(clusters.getDesiredState, { params: { id: clusterId }, query: {} });

/** Shuttle's report that a deployment runs (or does not). */
export const report = (
  world: ApiWorld,
  deployment: { id: string; serviceId: string; environment: string },
  change: Partial<StatusReport> = {},
) =>
  world.cluster(clusters.postStatus, {
    params: { id: clusterId },
    body: {
      reports: [
        {
          service_id: deployment.serviceId,
          environment: deployment.environment,
          deployment_id: deployment.id,
          observed_version: 1,
          phase: "running",
          ready_replicas: 1,
          desired_replicas: 1,
          restarts: 0,
          reason: null,
          serving_deployment_id: deployment.id,
          ...change,
        },
      ],
    },
  });

export { identity };
