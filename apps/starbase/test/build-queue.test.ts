import { randomBytes } from "node:crypto";
import * as deployments from "@starform/contract/deployments";
import { cancelDeployment, getDeployment, type Deployment } from "@starform/contract/deployments";
import { createEnvironment } from "@starform/contract/projects";
import { getService } from "@starform/contract/services";
import type { Plan } from "@starform/contract/plans";
import { systemClock } from "@starform/std/clock";
import { until } from "@starform/std/retry";
import { sql } from "kysely";
import { pino } from "pino";
import { afterEach, beforeEach, expect, test } from "vitest";
import { secretBox } from "../src/adapters/local/secret-box.ts";
import { openDatabase, type Database } from "../src/adapters/postgres/database.ts";
import { openJobRunner } from "../src/adapters/postgres/job-runner.ts";
import { postgresStores, postgresTransact } from "../src/adapters/postgres/stores.ts";
import { runNextBuild, tendBuildQueue } from "../src/core/builds/run-next-build.ts";
import { createDeployment } from "../src/core/deployments/create-deployment.ts";
import { deploymentProgress } from "../src/core/deployments/progress.ts";
import type { Transact } from "../src/core/stores.ts";
import { buildRunJob } from "../src/jobs/build-run.ts";
import { CannotHeal } from "../src/ports/job-queue.ts";
import { aProject, openApiWorld, ownerToken, type ApiWorld } from "./api-world.ts";
import { tarOf } from "./tar-file.ts";

let stack: AsyncDisposableStack;
let world: ApiWorld;
let database: Database;
beforeEach(async () => {
  stack = new AsyncDisposableStack();
  world = stack.use(await openApiWorld());
  database = stack.use(openDatabase({ ...world.config.database, onError: () => undefined }));
});
afterEach(() => stack.disposeAsync());

const transact: Transact = (work) => postgresTransact(database.db)(work);
const setPlan = (plan: Plan) => sql`update workspaces set plan = ${plan}`.execute(database.db);
const inLine = () => postgresStores(database.db).buildQueue.all();

/** A deployment of a new source that waits for a builder. */
async function deploy(ref: { project: string; service: string }, environment = "production") {
  const files = [{ name: "app.txt", text: crypto.randomUUID() }];
  const sent = await fetch(`${world.url}/v1/projects/${ref.project}/services/${ref.service}/sources`, {
    method: "POST",
    headers: { authorization: `Bearer ${ownerToken}`, "content-type": "application/gzip" },
    body: new Uint8Array(tarOf(files)),
  });
  const { sourceId } = (await sent.json()) as { sourceId: string };
  return world.owner(deployments.createDeployment, {
    params: ref,
    query: { environment },
    body: { sourceId },
  });
}
const see = ({ id }: Deployment, query: { seen?: number; position?: number; wait?: number } = {}) =>
  world.owner(getDeployment, { params: { deployment: id }, query });

/** Two Workers whose builds last until they are let go. */
async function openWorkers({ fails = (_id: string): Error | false => false } = {}) {
  const begun: string[] = [];
  const running = new Map<string, () => void>();
  const failed: string[] = [];
  const seen = { most: 0 };
  const runBuild = (id: string, signal: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      const end = () => (running.delete(id), resolve());
      begun.push(id);
      const failure = fails(id);
      if (failure) return reject(failure);
      running.set(id, end);
      seen.most = Math.max(seen.most, running.size);
      signal.addEventListener("abort", end, { once: true });
    });
  const open = () =>
    openJobRunner({
      url: world.config.database.url,
      handlers: [
        buildRunJob(
          runNextBuild({
            transact,
            clock: systemClock,
            runBuild,
            progress: { failBuild: async (id, reason) => void failed.push(`${id}: ${reason}`) },
          }),
        ),
      ],
      crons: [],
      concurrency: 3,
      logger: pino({ level: "silent" }),
    });
  const workers = [stack.use(await open()), stack.use(await open())];
  return { begun, running, failed, seen, workers };
}

test("two Workers together keep a workspace's limit, and build everything", async () => {
  await setPlan("hobby");
  const places = await Promise.all(Array.from({ length: 6 }, () => aProject(world)));
  const made = await Promise.all(places.map(({ ref }) => deploy(ref)));
  const { begun, running, seen } = await openWorkers();
  for (let built = 0; built < made.length; built += 2) {
    await until("two more are built", () => begun.length === built + 2 && running.size === 2);
    expect((await inLine()).filter(({ ticket }) => ticket !== null)).toHaveLength(2);
    for (const end of running.values()) end();
  }
  await until("nobody is in line", async () => (await inLine()).length === 0);
  expect(seen.most).toBe(2);
  expect(begun.toSorted()).toEqual(made.map(({ id }) => id).toSorted());
});

test("production is built before a preview that came earlier, and each is told its place as it changes", async () => {
  await setPlan("trial");
  const [{ ref }, other] = [await aProject(world), await aProject(world)];
  const [project, name] = [ref.project, "pr-1"];
  await world.owner(createEnvironment, { params: { project }, body: { name, isEphemeral: true } });
  const { begun, running } = await openWorkers();
  const busy = await deploy(other.ref);
  await until("something is built", () => running.size === 1);
  const preview = await deploy(ref, name);
  expect((await see(preview)).inLine).toEqual({
    position: 1,
    of: 1,
    waitsFor: "workspace",
    atOnceMax: 1,
    beginsInMs: null,
  });
  const news = see(preview, { seen: preview.revision, position: 1, wait: 30 });
  const live = await deploy(ref);
  expect((await news).inLine).toEqual({
    position: 2,
    of: 2,
    waitsFor: "workspace",
    atOnceMax: 1,
    beginsInMs: null,
  });
  for (const { id } of [busy, live, preview]) {
    await until("it is built", () => running.has(id));
    running.get(id)!();
  }
  expect(begun).toEqual([busy.id, live.id, preview.id]);
});

test("a deployment that replaces a waiting one takes over its place, and a cancelled one leaves the line", async () => {
  const { ref } = await aProject(world);
  const first = await deploy(ref);
  const enqueuedAt = (await inLine())[0]?.enqueuedAt;
  expect(enqueuedAt).toBeInstanceOf(Date);
  const second = await deploy(ref);
  expect(await see(first)).toMatchObject({ status: "cancelled", reason: "superseded by #2", inLine: null });
  expect(await inLine()).toMatchObject([{ deploymentId: second.id, enqueuedAt }]);
  await world.owner(cancelDeployment, { params: { deployment: second.id } });
  expect(await inLine()).toEqual([]);
});

/** Pushes to a service at times that are told, in milliseconds from a noon. */
async function pushesTo({ project, service }: { project: string; service: string }) {
  const noonMs = Date.parse("2026-11-29T12:00:00.000Z");
  const stores = postgresStores(database.db);
  const { id } = await world.owner(getService, { params: { project, service }, query: {} });
  const owned = (await stores.desired.projectOfService(id))!;
  const environment = (await stores.access.environment(owned.id, "production"))!;
  return async (afterMs: number) => {
    const create = createDeployment({
      transact,
      stores,
      clock: { now: () => new Date(noonMs + afterMs) },
      book: {
        box: secretBox(world.config.encryptionKeys),
        addresses: { publicUrl: (host) => `http://${host}` },
      },
      pin: () => Promise.reject(new Error("no image is deployed here")),
    });
    const source = { kind: "commit", sha: randomBytes(20).toString("hex") } as const;
    const place = { id };
    const made = await create(
      { email: "ada@example.com" },
      { project: owned, environment, place, trigger: "push", source },
    );
    const inPlace = await inLine();
    expect(inPlace.map(({ deploymentId }) => deploymentId)).toEqual([made.id]);
    return inPlace[0]!.readyAt.getTime() - noonMs;
  };
}

test("a first push is built at once, what follows within five seconds of the last waits them out and gives way to what is newer", async () => {
  const { ref } = await aProject(world);
  const push = await pushesTo(ref);
  expect(await push(0)).toBe(0);
  expect(await push(1_000)).toBe(5_000);
  expect(await push(2_000)).toBe(6_000);
  expect(await push(7_000)).toBe(7_000);
});

test("a push waits no longer where the clock was put back since the last", async () => {
  const { ref } = await aProject(world);
  const push = await pushesTo(ref);
  await push(3_600_000);
  expect(await push(1_000)).toBe(6_000);
});

test("what is being built is not replaced: a newer push waits for it", async () => {
  const { ref } = await aProject(world);
  const { begun, running } = await openWorkers();
  const first = await deploy(ref);
  await until("it is built", () => running.has(first.id));
  await sql`update deployments set status = 'building'`.execute(database.db);
  const second = await deploy(ref);
  expect((await see(first)).status).toBe("building");
  expect((await see(second)).inLine).toMatchObject({ position: 1, waitsFor: "service" });
  running.get(first.id)!();
  await until("the newer is built", () => running.has(second.id));
  running.get(second.id)!();
  await until("nobody is in line", async () => (await inLine()).length === 0);
  expect(begun).toEqual([first.id, second.id]);
});

test("a build is given the plan that its workspace has when it begins", async () => {
  const { ref } = await aProject(world);
  const made = await deploy(ref);
  await setPlan("scale");
  const box = secretBox(world.config.encryptionKeys);
  const work = await deploymentProgress({ transact, clock: systemClock, box }).beginBuild(made.id);
  expect(work?.plan).toBe("scale");
});

test("the build of a Worker that was killed goes to another, in the place that it held", async () => {
  await setPlan("trial");
  const [first, second] = [await aProject(world), await aProject(world)];
  const lost = await deploy(first.ref);
  // As a Worker leaves it that is killed: the job locked, the build claimed in its name.
  const { rows } = await sql<{ ticket: string }>`
    update graphile_worker._private_jobs set locked_by = 'dead', locked_at = now() - interval '1 minute', attempts = 1
    returning payload->>'ticket' as ticket`.execute(database.db);
  await transact(({ buildQueue }) => buildQueue.claim(lost.id, rows[0]!.ticket, new Date()));
  const next = await deploy(second.ref);
  const { begun, running } = await openWorkers();
  await until("the lost one is built again", () => running.has(lost.id));
  expect((await see(next)).inLine?.waitsFor).toBe("workspace");
  running.get(lost.id)!();
  await until("the next one is built", () => running.has(next.id));
  running.get(next.id)!();
  expect(begun).toEqual([lost.id, next.id]);
});

test("a place at a builder whose job is gone is free again, and a line that nobody was called for is looked at", async () => {
  await setPlan("trial");
  const [first, second] = [await aProject(world), await aProject(world)];
  const lost = await deploy(first.ref);
  await transact(({ buildQueue }) => buildQueue.claim(lost.id, crypto.randomUUID(), new Date()));
  const next = await deploy(second.ref);
  await sql`delete from graphile_worker._private_jobs`.execute(database.db);
  await tendBuildQueue({ transact, clock: systemClock });
  expect((await inLine()).map(({ deploymentId }) => deploymentId)).toEqual([next.id]);
  const { running } = await openWorkers();
  await until("it is built", () => running.has(next.id));
  running.get(next.id)!();
});

test("a ticket that is not tried again fails its build with the reason, and the next one is built", async () => {
  await setPlan("trial");
  const [first, second] = [await aProject(world), await aProject(world)];
  const failing = await deploy(first.ref);
  const next = await deploy(second.ref);
  const { begun, running, failed } = await openWorkers({
    fails: (id) => id === failing.id && new CannotHeal("the builder is broken"),
  });
  await until("the next one is built", () => running.has(next.id));
  running.get(next.id)!();
  expect([begun, failed]).toEqual([[failing.id, next.id], [`${failing.id}: the builder is broken`]]);
});

test("a build is said to take what the service's last ones took, else what the workspace's did, else nothing", async () => {
  const [{ ref, project, service }, other] = [await aProject(world), await aProject(world)];
  const took = (serviceId: string, seconds: number, image: string | null = "i") =>
    sql`insert into builds (id, workspace_id, project_id, service_id, build_key, image, created_at, started_at, ended_at)
      values (gen_random_uuid(), ${project.workspaceId}, ${project.id}, ${serviceId}, 'k', ${image}, now(), now(),
        now() + make_interval(secs => ${seconds}))`.execute(database.db);
  const made = await deploy(ref);
  expect((await see(made)).estimate).toBeNull();
  await took(other.service.id, 7);
  await took(other.service.id, 90, null);
  expect((await see(made)).estimate).toEqual({ durationMs: 7_000, basis: "workspace", builds: 1 });
  for (const seconds of [40, 42, 300]) await took(service.id, seconds);
  expect((await see(made)).estimate).toEqual({ durationMs: 42_000, basis: "service", builds: 3 });
});

test("who waits is told in how long its turn comes, once the build before it has a usual time", async () => {
  await setPlan("trial");
  const [first, second] = [await aProject(world), await aProject(world)];
  const { running } = await openWorkers();
  const busy = await deploy(first.ref);
  await until("it is built", () => running.has(busy.id));
  const waiting = await deploy(second.ref);
  expect((await see(waiting)).inLine).toMatchObject({ waitsFor: "workspace", beginsInMs: null });
  await sql`insert into builds (id, workspace_id, project_id, service_id, build_key, image, created_at, started_at, ended_at)
    values (gen_random_uuid(), ${first.project.workspaceId}, ${first.project.id}, ${first.service.id}, 'k', 'i', now(),
      now(), now() + interval '10 minutes')`.execute(database.db);
  await sql`update build_queue set claimed_at = claimed_at - interval '4 minutes' where ticket is not null`.execute(
    database.db,
  );
  const told = (await see(waiting)).inLine?.beginsInMs;
  expect(told).toBeGreaterThan(0);
  expect(told).toBeLessThanOrEqual(6 * 60_000);
  running.get(busy.id)!();
  await until("its turn has come", () => running.has(waiting.id));
  running.get(waiting.id)!();
});
