import * as clusters from "@starform/contract/clusters";
import * as deployments from "@starform/contract/deployments";
import * as services from "@starform/contract/services";
import * as workspaces from "@starform/contract/workspaces";
import { signerOf, verifierOf } from "@starform/std/signature";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  aProject,
  clusterId,
  clusterToken,
  openApiWorld,
  report,
  signingKey,
  type ApiWorld,
} from "./api-world.ts";

let world: ApiWorld;
beforeAll(async () => {
  world = await openApiWorld({ runtime: "docker" });
});
afterAll(() => world[Symbol.asyncDispose]());

const image = `registry.test/app@sha256:${"a".repeat(64)}`;
const aDeployment = async () => {
  const { ref } = await aProject(world);
  const made = await world.owner(deployments.createDeployment, { params: ref, query: {}, body: { image } });
  return { ref, made };
};

test("desired state is signed over the very bytes that are sent", async () => {
  await aDeployment();
  const answer = await fetch(`${world.url}/api/v1/clusters/${clusterId}/desired-state`, {
    headers: { authorization: `Bearer ${clusterToken}` },
  });
  const text = await answer.text();
  const signature = answer.headers.get(clusters.signatureHeader) ?? undefined;
  const { publicKeys } = signerOf(signingKey, clusters.desiredStatePurpose);
  const isSigned = verifierOf(publicKeys, clusters.desiredStatePurpose);
  expect(isSigned(text, signature)).toBe(true);
  expect(isSigned(text.replace(image, "evil"), signature)).toBe(false);
});

test("what was changed by hand on a cluster is shown with the service and audited once", async () => {
  const { ref, made } = await aDeployment();
  const drift = (object: string, by: string | null, at: string): clusters.Drift => ({
    object,
    what: "changed",
    fields: ["spec.replicas"],
    by,
    at,
  });
  const second = drift("Deployment/web", "kubectl-edit", "2026-11-29T08:00:02.000Z");
  const first = drift("Service/web", null, "2026-11-29T08:00:01.000Z");
  await report(world, made, { drift: [first] });
  for (const restarts of [0, 1, 2]) await report(world, made, { drift: [second, first], restarts });
  const { health } = await world.owner(services.getService, { params: ref, query: {} });
  expect(health.putBack).toEqual([first, second]);
  const audit = await world.owner(workspaces.listAudit, {
    params: { workspace: "home" },
    query: { limit: 100 },
  });
  const events = audit.items.filter(({ event }) => event === "service.put_back");
  expect(events.map(({ actor, detail }) => [actor, detail["object"], detail["at"]]).sort()).toEqual([
    ["kubectl-edit", "Deployment/web", second.at],
    ["unknown", "Service/web", first.at],
  ]);
});

test("what a cluster holds back on its own is shown with the service and audited once", async () => {
  const { ref, made } = await aDeployment();
  await report(world, made);
  const divergence = {
    from_version: 3,
    instead_of: made.id,
    by: "ada on node-1",
    at: "2026-11-29T08:00:00.000Z",
  };
  for (const restarts of [0, 1, 2]) await report(world, made, { divergence, restarts });
  const held = async () =>
    (await world.owner(services.getService, { params: ref, query: {} })).health.heldBack;
  expect(await held()).toEqual({
    fromVersion: 3,
    insteadOf: made.id,
    by: "ada on node-1",
    at: divergence.at,
  });
  // Nobody lets go by what cannot be read.
  for (const restarts of [3, 4]) await report(world, made, { is_hold_unreadable: true, restarts });
  expect(await held()).toMatchObject({ by: "ada on node-1", at: divergence.at });
  const let_go = { ...divergence, let_go_by: "bob", let_go_at: "2026-11-29T09:00:00.000Z" };
  for (const restarts of [2, 3]) await report(world, made, { let_go, restarts });
  expect(await held()).toBeNull();
  // Of this one nobody heard before it was over.
  const unheard = {
    ...let_go,
    by: "eve",
    at: "2026-11-29T10:00:00.000Z",
    let_go_at: "2026-11-29T11:00:00.000Z",
  };
  for (const restarts of [4, 5]) await report(world, made, { let_go: unheard, restarts });
  // Of these the end was not told before the next began, and was over or not.
  const next = (by: string, hour: number) => ({ ...divergence, by, at: `2026-11-29T${hour}:00:00.000Z` });
  const passing = { ...next("mia", 13), let_go_by: "max", let_go_at: "2026-11-29T14:00:00.000Z" };
  await report(world, made, { divergence: next("kim", 12) });
  for (const restarts of [6, 7]) await report(world, made, { let_go: passing, restarts });
  await report(world, made, { divergence: next("lee", 15) });
  await report(world, made, { divergence: next("noa", 16) });
  const audit = await world.owner(workspaces.listAudit, {
    params: { workspace: "home" },
    query: { limit: 100 },
  });
  const events = audit.items.filter(({ event }) => /held_back|let_go/.test(event));
  expect(events.map(({ event, actor }) => `${event} ${actor}`).sort()).toEqual([
    "service.held_back ada on node-1",
    "service.held_back eve",
    "service.held_back kim",
    "service.held_back lee",
    "service.held_back mia",
    "service.held_back noa",
    "service.let_go bob",
    "service.let_go bob",
    "service.let_go kim",
    "service.let_go lee",
    "service.let_go max",
  ]);
});

test("an end that is told again, late or by another Shuttle, is audited once", async () => {
  const { made } = await aDeployment();
  const divergence = { from_version: 3, instead_of: made.id, by: "zoe", at: "2026-11-29T10:00:00.000Z" };
  const let_go = { ...divergence, let_go_by: "abe", let_go_at: "2026-11-29T11:00:00.000Z" };
  // A later Shuttle may know of another deployment that ended it.
  const again = { ...let_go, let_go_by: "ben", let_go_at: "2026-11-29T12:00:00.000Z" };
  for (const [restarts, told] of [{ divergence }, { let_go }, {}, { let_go }, { let_go: again }].entries())
    await report(world, made, { ...told, restarts });
  const audit = await world.owner(workspaces.listAudit, {
    params: { workspace: "home" },
    query: { limit: 100 },
  });
  const events = audit.items.filter(({ actor }) => /^(zoe|abe|ben)$/.test(actor));
  expect(events.map(({ event, actor }) => `${event} ${actor}`).toReversed()).toEqual([
    "service.held_back zoe",
    "service.let_go abe",
  ]);
});

test("all that held a service back while nobody could be told is audited once, in its order", async () => {
  const { made } = await aDeployment();
  const hold = (by: string, hour: number): clusters.Divergence => ({
    from_version: 3,
    instead_of: made.id,
    by,
    at: `2026-11-29T${hour}:00:00.000Z`,
  });
  const over = (by: string, hour: number, let_go_by: string): clusters.LetGo => ({
    ...hold(by, hour),
    let_go_by,
    let_go_at: `2026-11-29T${hour}:30:00.000Z`,
  });
  await report(world, made, { divergence: hold("una", 10) });
  // Then came an outage.
  const earlier = [over("una", 10, "ben"), over("dan", 11, "eli")];
  const told = { divergence: hold("flo", 13), let_go: over("gil", 12, "flo"), let_go_earlier: earlier };
  for (const restarts of [0, 1, 2]) await report(world, made, { ...told, restarts });
  const after = { let_go: over("flo", 13, "hal"), let_go_earlier: [...earlier, told.let_go] };
  for (const restarts of [3, 4]) await report(world, made, { ...after, restarts });
  const audit = await world.owner(workspaces.listAudit, {
    params: { workspace: "home" },
    query: { limit: 100 },
  });
  const names = /^(una|ben|dan|eli|gil|flo|hal)$/;
  const events = audit.items.filter(({ actor }) => names.test(actor));
  expect(events.map(({ event, actor }) => `${event} ${actor}`).toReversed()).toEqual([
    "service.held_back una",
    "service.let_go ben",
    "service.held_back dan",
    "service.let_go eli",
    "service.held_back gil",
    "service.let_go flo",
    "service.held_back flo",
    "service.let_go hal",
  ]);
});
