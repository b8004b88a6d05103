import { gzipSync } from "node:zlib";
import * as deployments from "@starform/contract/deployments";
import * as services from "@starform/contract/services";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDatabase, type Database } from "../src/adapters/postgres/database.ts";
import { postgresTransact } from "../src/adapters/postgres/stores.ts";
import { deploymentProgress } from "../src/core/deployments/progress.ts";
import { secretBox } from "../src/adapters/local/secret-box.ts";
import { aProject, desiredState, openApiWorld, ownerToken, type ApiWorld } from "./api-world.ts";

let world: ApiWorld;
let database: Database;
beforeAll(async () => {
  world = await openApiWorld({ runtime: "docker" });
  database = openDatabase({ url: world.config.database.url, poolMax: 2, onError: () => undefined });
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

/** Deploys a folder whose build tells this of its image; answers the traits that desired state says. */
async function traitsOf(
  { ref, service }: Awaited<ReturnType<typeof aProject>>,
  info: Record<string, unknown>,
) {
  const response = await fetch(`${world.url}/v1/projects/${ref.project}/services/${ref.service}/sources`, {
    method: "POST",
    headers: { authorization: `Bearer ${ownerToken}`, "content-type": "application/gzip" },
    body: gzipSync(Buffer.concat([Buffer.alloc(1_024), Buffer.from(JSON.stringify(info))])) as BodyInit,
  });
  const { sourceId } = (await response.json()) as { sourceId: string };
  const made = await world.owner(deployments.createDeployment, {
    params: ref,
    query: {},
    body: { sourceId },
  });
  const progress = deploymentProgress({
    transact: postgresTransact(database.db),
    clock: { now: () => new Date() },
    box: secretBox(world.config.encryptionKeys),
  });
  await progress.beginBuild(made.id);
  const digest = "a".repeat(64);
  await progress.finishBuild(made.id, {
    image: `starform.local/shop/web@sha256:${digest}`,
    imageDigest: `sha256:${digest}`,
    sizeBytes: 100,
    info,
    fileSettings: {},
  });
  const { services: wanted } = await desiredState(world);
  return wanted.find(({ service_id }) => service_id === service.id)?.image_traits;
}

test("what a build told of its image reaches the cluster, unless another program is started in it", async () => {
  const shop = await aProject(world);
  expect(await traitsOf(shop, {})).toBeNull();
  expect(await traitsOf(shop, { hasReadOnlyRoot: true })).toEqual({ has_read_only_root: true });
  const { ref } = shop;
  await world.owner(services.updateService, {
    params: ref,
    query: {},
    body: { settings: { startCommand: "node ." } },
  });
  expect(await traitsOf(shop, { hasReadOnlyRoot: true, again: 1 })).toBeNull();
  expect(await traitsOf(shop, { hasReadOnlyRoot: true, hasShell: true })).toEqual({
    has_read_only_root: false,
    has_shell: true,
  });
});
