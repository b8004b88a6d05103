import * as clusters from "@starform/contract/clusters";
import * as deployments from "@starform/contract/deployments";
import * as projects from "@starform/contract/projects";
import * as services from "@starform/contract/services";
import * as variables from "@starform/contract/variables";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDatabase } from "../src/adapters/postgres/database.ts";
import { postgresStores } from "../src/adapters/postgres/stores.ts";
import { aProject, clusterId, clusterToken, openApiWorld, report, type ApiWorld } from "./api-world.ts";

let world: ApiWorld;
beforeAll(async () => {
  world = await openApiWorld({ runtime: "docker" });
});
afterAll(() => world[Symbol.asyncDispose]());

type Ref = { project: string; service: string };
const deploy = (ref: Ref, environment?: string) =>
  world.owner(deployments.createDeployment, {
    params: ref,
    query: environment ? { environment } : {},
    body: { image: `registry.test/app@sha256:${"a".repeat(64)}` },
  });
const remove = (ref: Ref) => world.owner(services.deleteService, { params: ref });

/** What a Shuttle that has `etag` is told; it has it from then on. */
async function told(etag?: string) {
  const answer = await fetch(`${world.url}/api/v1/clusters/${clusterId}/desired-state`, {
    headers: { authorization: `Bearer ${clusterToken}`, ...(etag ? { "if-none-match": etag } : {}) },
  });
  if (answer.status === 304) return { etag: etag!, services: [], version: 0, text: "" };
  const text = await answer.text();
  const state = clusters.DesiredState.parse(JSON.parse(text));
  return { etag: answer.headers.get("etag")!, services: state.services, version: state.version, text };
}
/** What is told of these projects. */
const names = ({ services }: Awaited<ReturnType<typeof told>>, ...of: Ref[]) =>
  services
    .filter(({ project_slug }) => of.some(({ project }) => project === project_slug))
    .map(
      (one) => `${one.project_slug}/${one.environment}/${one.service_name}${one.deleted ? " deleted" : ""}`,
    )
    .sort();

test("what is deleted is told as deleted, without what was secret, until the cluster has heard it", async () => {
  const [{ ref }, other] = [await aProject(world), await aProject(world)];
  const body = { variables: { PASSWORD: { value: "a secret of the service", isSecret: true } } };
  await world.owner(variables.setVariables, { params: ref, query: {}, body });
  await deploy(ref);
  expect((await told()).text).toContain("a secret of the service");

  await remove(ref);
  const last = await told();
  expect(names(last, ref)).toEqual([`${ref.project}/production/web deleted`]);
  expect(last.text).not.toContain("a secret of the service");
  await deploy(other.ref);
  const both = [`${ref.project}/production/web deleted`, `${other.ref.project}/production/web`];
  const next = await told(last.etag);
  expect(names(next, ref, other.ref)).toEqual(both.sort());

  expect((await told(next.etag)).version).toBe(0);
  expect(names(await told(), ref, other.ref)).toEqual(both.sort());
  await remove(other.ref);
  expect(names(await told(next.etag), ref, other.ref)).toEqual([
    `${other.ref.project}/production/web deleted`,
  ]);
});

test("a removal that the cluster's version does not tell of yet is told with the next", async () => {
  const [{ ref }, other] = [await aProject(world), await aProject(world)];
  await deploy(ref);
  await deploy(other.ref);
  await remove(ref);
  const { etag } = await told();
  await remove(other.ref);
  expect(names(await told(etag), ref, other.ref)).toHaveLength(2);
  const again = await aProject(world);
  await deploy(again.ref);
  expect(names(await told(etag), ref, other.ref).filter((name) => name.endsWith("deleted"))).toHaveLength(2);
});

test("a project, an environment and a first deployment that is cancelled leave no cluster with an empty document", async () => {
  const { ref } = await aProject(world);
  const params = { project: ref.project };
  await world.owner(projects.createEnvironment, { params, body: { name: "staging", from: "production" } });
  await deploy(ref, "staging");
  await world.owner(projects.deleteEnvironment, { params: { ...params, environment: "staging" } });
  const gone = await told();
  expect(names(gone, ref)).toEqual([`${ref.project}/staging/web deleted`]);
  await told(gone.etag);

  const first = await deploy(ref);
  await world.owner(deployments.cancelDeployment, { params: { deployment: first.id } });
  const cancelled = await told();
  expect(names(cancelled, ref)).toEqual([`${ref.project}/production/web deleted`]);
  await told(cancelled.etag);

  await report(world, await deploy(ref));
  expect(names(await told(), ref)).toEqual([`${ref.project}/production/web`]);
  await world.owner(projects.deleteProject, { params, query: { confirm: ref.project } });
  expect(names(await told(), ref)).toEqual([`${ref.project}/production/web deleted`]);
});

test("what is there again under the same name is told once, and runs", async () => {
  const { ref } = await aProject(world);
  const params = { project: ref.project };
  const staging = () =>
    world.owner(projects.createEnvironment, { params, body: { name: "staging", from: "production" } });
  await staging();
  await deploy(ref, "staging");
  await world.owner(projects.deleteEnvironment, { params: { ...params, environment: "staging" } });
  await staging();
  await deploy(ref, "staging");
  expect(names(await told(), ref)).toEqual([`${ref.project}/staging/web`]);
  await world.owner(projects.deleteEnvironment, { params: { ...params, environment: "staging" } });
  expect(names(await told(), ref)).toEqual([`${ref.project}/staging/web deleted`]);
});

test("a version tells of no removal that came after it", async () => {
  const [{ ref }, other] = [await aProject(world), await aProject(world)];
  await deploy(ref);
  await deploy(other.ref);
  await remove(ref);
  const { version } = await told();
  await remove(other.ref);
  await using database = openDatabase({
    url: world.config.database.url,
    poolMax: 1,
    onError: () => undefined,
  });
  await postgresStores(database.db).desired.removalsSeen(clusterId, version);
  await deploy((await aProject(world)).ref);
  expect(names(await told(), ref, other.ref)).toEqual([`${other.ref.project}/production/web deleted`]);
});
