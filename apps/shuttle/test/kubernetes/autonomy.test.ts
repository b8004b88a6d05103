import { randomUUID } from "node:crypto";
import type { DesiredService } from "@starform/contract/clusters";
import { until } from "@starform/std/retry";
import { steppedClock } from "@starform/testkit/kubernetes/clock";
import { expect, test } from "vitest";
import { aDocument, aService, redeployed } from "../desired.ts";
import { openWorld, system, type World } from "./shuttle-world.ts";

const hourMs = 3_600_000;
const image = (letter: string) => `registry.example.com/shop/web@sha256:${letter.repeat(64)}`;

/** Its cluster's time stands still until it is moved. */
const openStillWorld = () => openWorld({ clock: steppedClock(new Date("2026-11-29T00:00:00Z")) });
/** Lists of what is kept on the cluster, bodies and all. */
const reads = ({ fake }: World) =>
  fake.requests.count({ verb: "list", resource: "secrets", namespace: system });
/** What runs: every pod, and every version that a workload was given. */
const runs = ({ fake }: World) => ({
  pods: fake.client.list("v1", "Pod").map(({ metadata }) => metadata.uid),
  workloads: ["Deployment", "ReplicaSet"]
    .flatMap((kind) => fake.client.list("apps/v1", kind))
    .map(({ metadata }) => `${metadata.uid} ${metadata.generation}`),
});
const imagesOf = ({ fake }: World, service: DesiredService) =>
  fake.client
    .list("v1", "Pod", service.namespace)
    .filter(({ metadata }) => !metadata.deletionTimestamp)
    .flatMap(({ spec }) => (spec as { containers: { image: string }[] }).containers)
    .map((container) => container.image);
const settled = async (world: World, services: DesiredService[]) => {
  await until(
    "all of it runs",
    async () => {
      await world.fake.advance(1_000);
      return services.every(({ service_id }) =>
        ["running", "scheduled"].includes(world.starbase.told.reports.get(service_id)?.phase ?? ""),
      );
    },
    { withinMs: 50_000 },
  );
};

test(
  "a day without Starbase changes nothing that runs, Shuttle's own restart included",
  { timeout: 300_000 },
  async () => {
    await using world = await openStillWorld();
    const project = { project_id: randomUUID(), workspace_id: randomUUID() };
    const services = [
      aService({ ...project, image: image("a"), replicas: 2 }),
      aService({
        ...project,
        image: image("b"),
        service_name: "worker",
        service_type: "worker",
        hostname: null,
        ports: [],
      }),
      aService({
        ...project,
        image: image("c"),
        service_name: "nightly",
        service_type: "cron",
        hostname: null,
        ports: [],
        replicas: 0,
        schedule: "0 3 * * *",
      }),
    ];
    world.starbase.publish(aDocument(world.clusterId, 1, services));
    let shuttle = await world.shuttle();
    await settled(world, services);
    world.starbase.goAway();
    const before = runs(world);
    expect(before.pods).toHaveLength(3);

    world.fake.requests.clear();
    for (let hour = 0; hour < 24; hour++) {
      const before = hour === 12 ? 0 : await world.passes(shuttle);
      await until("an hour's passes were made", async () => (await world.passes(shuttle)) >= before + 120, {
        withinMs: 50_000,
      });
      await world.fake.advance(hourMs);
      if (hour === 11) {
        await shuttle[Symbol.asyncDispose]();
        shuttle = await world.shuttle();
      }
    }
    const after = runs(world);
    const kept = (all: readonly (string | undefined)[]) =>
      all.filter((one) => one && [...before.pods, ...before.workloads].includes(one));
    expect(kept(after.pods)).toEqual(before.pods);
    expect(after.workloads).toEqual(before.workloads);
    expect(world.fake.client.list("batch/v1", "Job").length).toBeGreaterThan(0);
    const written = world.fake.requests
      .list({ verb: "create,update,patch,delete" })
      .filter(({ attempt }) =>
        ["deployments", "cronjobs", "services", "httproutes", "pods"].includes(attempt.resource),
      );
    expect(written).toEqual([]);
    // A start reads both stores, and once more what is held back when its watch stands; a watch lists for itself.
    expect(reads(world)).toBeLessThanOrEqual(2 + 4);

    const pod = world.fake.client.list("v1", "Pod", services[0]!.namespace)[0]!.metadata;
    world.fake.client.remove({
      apiVersion: "v1",
      kind: "Pod",
      namespace: services[0]!.namespace,
      name: pod.name,
    });
    const web = () => imagesOf(world, services[0]!).filter((one) => one === image("a"));
    await until("a lost pod was made up for", async () => {
      await world.fake.advance(40_000);
      return web().length === 2;
    });
    await shuttle[Symbol.asyncDispose]();
  },
);

test("with the cluster's credentials alone a bad version is taken back, shown, told to Starbase later, and let go", async () => {
  await using world = await openStillWorld();
  const good = aService({ image: image("a") });
  const bad = redeployed(good, { image: image("b") });
  await using _shuttle = await world.shuttle();
  world.starbase.publish(aDocument(world.clusterId, 1, [good]));
  await settled(world, [good]);
  world.starbase.publish(aDocument(world.clusterId, 2, [bad]));
  const runsOnly = (letter: string) => async () => {
    await world.fake.advance(5_000);
    const images = imagesOf(world, good);
    return images.length > 0 && images.every((one) => one === image(letter));
  };
  await until("the bad version runs", runsOnly("b"));
  world.starbase.goAway();

  expect((await world.operate("rollback", "web", "1", "--by", "ada")).text).toMatch(/is held at version 1/);
  await until("the good version runs", runsOnly("a"));
  expect((await world.operate("status")).json).toMatchObject({
    version: 2,
    services: [{ held_at_version: 1, held_by: "ada", image: image("a") }],
  });
  await until("the cluster says itself that it is ready", async () => {
    await world.fake.advance(1_000);
    const { json, text } = await world.operate("status");
    const [seen] = (json as { services: { ready: number; desired: number }[] }).services;
    return seen?.ready === 1 && seen.desired === 1 && text.includes("shop/production/web  1/1 ready  ");
  });
  const namespace = good.namespace;
  const undo = world.fake.pods.script(
    { namespace },
    { probeError: "HTTP probe failed with statuscode: 500" },
  );
  for (const { metadata } of world.fake.client.list("v1", "Pod", namespace))
    world.fake.client.remove({ apiVersion: "v1", kind: "Pod", namespace, name: metadata.name });
  await until("and that it is not", async () => {
    await world.fake.advance(1_000);
    return (await world.operate("status")).text.includes("  0/1 ready  ");
  });
  undo();
  await until("and that it is again", async () => {
    await world.fake.advance(5_000);
    return (await world.operate("status")).text.includes("  1/1 ready  ");
  });
  world.fake.faults.add({ verb: "list", resource: "deployments" }, { status: 403 }, { times: 1 });
  expect((await world.operate("status")).text).toContain("1x, how many are ready is not known");

  world.fake.requests.clear();
  world.fake.faults.add(
    { verb: "list", resource: "secrets", namespace: system },
    { status: 500 },
    { times: 3 },
  );
  const [kept] = world.fake.client
    .list("v1", "Secret", system)
    .filter(({ metadata }) => metadata.name.startsWith("shuttle-override-"));
  const touched = { name: kept!.metadata.name, namespace: system, annotations: { touched: "by hand" } };
  world.fake.client.apply({ apiVersion: "v1", kind: "Secret", metadata: touched });
  await until("what is held back was read in the end", () => reads(world) >= 4);
  await world.fake.advance(5_000);
  expect(world.fake.requests.count({ verb: "create,update,patch,delete", resource: "deployments" })).toBe(0);
  expect(imagesOf(world, good)).toEqual([image("a")]);

  world.starbase.comeBack();
  await until(
    "Starbase was told",
    () => world.starbase.told.reports.get(good.service_id)?.divergence?.by === "ada",
    { withinMs: 30_000 },
  );
  await world.operate("resume", "web", "--by", "bob");
  await until("what Starbase wants runs again", runsOnly("b"));
  await until(
    "Starbase was told who let it go",
    () => world.starbase.told.reports.get(good.service_id)?.let_go?.let_go_by === "bob",
  );
});

test("an override that was spoiled lets nothing go, also after a restart, and the service's status tells it", async () => {
  await using world = await openStillWorld();
  const good = aService({ image: image("a") });
  const bad = redeployed(good, { image: image("b") });
  const first = await world.shuttle();
  world.starbase.publish(aDocument(world.clusterId, 1, [good]));
  await settled(world, [good]);
  const seen = world.starbase.publish(aDocument(world.clusterId, 2, [bad]));
  await until("the bad version is known", () => world.starbase.told.documents.includes(seen));
  await until("it may be rolled back", () => world.operate("rollback", "web", "1", "--by", "ada"));
  const runsOnly = (letter: string) => async () => {
    await world.fake.advance(5_000);
    const images = imagesOf(world, good);
    return images.length > 0 && images.every((one) => one === image(letter));
  };
  await until("the good version runs", runsOnly("a"));
  await first[Symbol.asyncDispose]();
  const [kept] = world.fake.client
    .list("v1", "Secret", system)
    .filter(({ metadata }) => metadata.name.startsWith("shuttle-override-"));
  const data = { override: Buffer.from("{").toString("base64") };
  const address = { apiVersion: "v1", kind: "Secret", name: kept!.metadata.name, namespace: system };
  world.fake.client.patch(address, { type: "merge", body: { data } });

  await using second = await world.shuttle();
  const passes = 20;
  await until("it passed over all services", async () => (await world.passes(second)) > passes);
  await until("it is told", () =>
    world.starbase.told.reports.get(good.service_id)?.reason?.includes("`shuttle resume web` lets it go"),
  );
  await world.fake.advance(60_000);
  expect(await runsOnly("a")()).toBe(true);
  await world.operate("resume", "web", "--by", "bob");
  await until("what Starbase wants runs", runsOnly("b"));
});

test("of two Shuttles one acts, and the other takes over where it ended", async () => {
  await using world = await openStillWorld();
  const [first, second] = [
    aService({ image: image("a") }),
    aService({ image: image("b"), namespace: "proj-other" }),
  ];
  world.starbase.publish(aDocument(world.clusterId, 1, [first]));
  const shuttles = [
    await world.shuttle({ STARFORM_LEADER_ELECTION: "true" }),
    await world.shuttle({ STARFORM_LEADER_ELECTION: "true" }),
  ];
  await settled(world, [first]);
  for (const { port } of shuttles) expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200);
  expect(world.starbase.told.registered).toHaveLength(1);
  await shuttles[0]![Symbol.asyncDispose]();
  world.starbase.publish(aDocument(world.clusterId, 2, [first, second]));
  await settled(world, [first, second]);
  await shuttles[1]![Symbol.asyncDispose]();
  const lease = world.fake.client.get({
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    namespace: system,
    name: "shuttle",
  });
  expect((lease as { spec?: { holderIdentity?: string } }).spec?.holderIdentity ?? "").toBe("");
});

test("a Shuttle that could not read its cluster yet ends at once when it is stopped", async () => {
  await using world = await openStillWorld();
  world.fake.faults.add({ verb: "list", resource: "pods" }, { status: 500 });
  const shuttle = await world.shuttle();
  await until(
    "it asked for the pods",
    () => world.fake.requests.count({ verb: "list", resource: "pods" }) > 0,
  );
  const beganMs = performance.now();
  await shuttle[Symbol.asyncDispose]();
  expect(performance.now() - beganMs).toBeLessThan(8_000);
});

test("a Shuttle that ends acts no more while it still tells what it has to tell", async () => {
  await using world = await openStillWorld();
  const service = aService({ image: image("a") });
  world.starbase.publish(aDocument(world.clusterId, 1, [service]));
  const shuttle = await world.shuttle({ STARFORM_SNAPSHOT_INTERVAL: "100ms" });
  await settled(world, [service]);
  let asked = 0;
  world.starbase.misbehave((call) => {
    if (call !== "snapshots") return undefined;
    asked += 1;
    return { delayMs: 10_000 };
  });
  await until("it waits for Starbase", () => asked > 0);
  const ending = shuttle[Symbol.asyncDispose]();
  const before = asked;
  await until("it tells for the last time", () => asked > before);
  const [address] = world.fake.client.list("v1", "Service", service.namespace);
  const { name } = address!.metadata;
  world.fake.client.remove({ apiVersion: "v1", kind: "Service", namespace: service.namespace, name });
  await ending;
  expect(world.fake.client.list("v1", "Service", service.namespace)).toEqual([]);
});
