import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { DesiredService, DesiredState } from "@starform/contract/clusters";
import type { KubeApi } from "@starform/kubernetes/kube-api";
import { openKubeApi } from "@starform/kubernetes/open-kube-api";
import { pause, until } from "@starform/std/retry";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { kubernetesDesiredStore } from "../../src/adapters/kubernetes/kept/desired-store.ts";
import { keptSecrets } from "../../src/adapters/kubernetes/kept/kept-secrets.ts";
import type { Time } from "../../src/core/time.ts";
import { aDocument, aService, redeployed } from "../desired.ts";
import type { Odd } from "../fake-starbase.ts";
import { differences } from "./as-wanted.ts";
import { kinds } from "./cluster-rig.ts";
import { fastClock } from "./fast-clock.ts";
import { group } from "./samples.ts";
import { openWorld, system, type World, type WorldShuttle } from "./shuttle-world.ts";

/** The seed of this run is printed; with FAULT_SEED it is the same again, and FAULT_RUNS makes it longer. */
const seed = Number(process.env["FAULT_SEED"] ?? Date.now() % 2 ** 31);
const runs = Number(process.env["FAULT_RUNS"] ?? 4);
console.log(`the whole of Shuttle under faults: FAULT_SEED=${seed}`);

/** How much faster than ours the time of the cluster and of Shuttle is. */
const speed = 10;
const none = { kind: "none", timeout_seconds: 300 } as const;
const fails = { status: 500, reason: "InternalError" } as const;

/** What goes wrong; the answer ends it. */
type Trouble = (life: Life) => (() => unknown) | Promise<() => unknown>;
const unending = () => undefined;

/** Of the API server. */
const clusterTroubles: Readonly<Record<string, Trouble>> = {
  none: () => unending,
  gone: ({ world }) => world.fake.refuseConnections(),
  slow: ({ world }) => world.fake.faults.add({}, { delayMs: 100 * speed }, { times: 60 }),
  overloaded: ({ world }) => world.fake.faults.add({}, { status: 429, retryAfterSeconds: 1 }, { times: 20 }),
  failing: ({ world }) => world.fake.faults.add({}, fails, { times: 30 }),
  "failing reads": ({ world }) => world.fake.faults.add({ verb: "get,list,watch" }, fails, { times: 40 }),
  "failing Secrets": ({ world }) => world.fake.faults.add({ resource: "secrets" }, fails),
  "failing leases": ({ world }) => world.fake.faults.add({ resource: "leases" }, fails),
  "failing workloads": ({ world }) =>
    world.fake.faults.add({ resource: "deployments,cronjobs", verb: "patch" }, fails),
  "lost answers": ({ world }) =>
    world.fake.faults.add({ verb: "patch,create,delete" }, { cut: "after" }, { times: 12 }),
  "lost requests": ({ world }) => world.fake.faults.add({}, { cut: "before" }, { times: 20 }),
  conflicts: ({ world }) => world.fake.faults.add({ verb: "patch" }, { conflict: true }, { times: 12 }),
  "cut watches": ({ world }) => {
    world.fake.cutWatches();
    return world.fake.faults.add({ verb: "watch" }, { cutAfterEvents: 1 }, { times: 20 });
  },
  "forgotten history": ({ world }) => {
    world.fake.compact();
    world.fake.cutWatches();
    return unending;
  },
};

const answering =
  (odd: (life: Life) => Odd, calls = /./): Trouble =>
  (life) => {
    const answer = odd(life);
    return life.world.starbase.misbehave((call) => (calls.test(call) ? answer : undefined));
  };
const sending = (document: (life: Life) => unknown): Trouble =>
  answering((life) => {
    const text = JSON.stringify(document(life));
    return { text, signature: life.world.sign(text) };
  }, /desired-state/);
/** Of Starbase. */
const starbaseTroubles: Readonly<Record<string, Trouble>> = {
  none: () => unending,
  gone: ({ world }) => {
    world.starbase.goAway();
    return () => world.starbase.comeBack();
  },
  failing: answering(() => ({ status: 500 })),
  slow: answering(() => ({ delayMs: 300 })),
  "lost answers": answering(() => ({ cut: "after" })),
  "lost requests": answering(() => ({ cut: "before" })),
  "an older state": sending(({ published }) => published.at(-2) ?? published[0]),
  "another cluster's state": sending(({ published }) => ({ ...published.at(-1), cluster_id: randomUUID() })),
  "an empty state": sending(({ published }) => ({
    ...published.at(-1)!,
    version: 1_000,
    services: [],
  })),
  "a state nobody signed": answering(
    ({ published }) => ({ text: JSON.stringify({ ...published.at(-1)!, version: 1_000, services: [] }) }),
    /desired-state/,
  ),
  "half a state": answering(({ world, published }) => {
    const text = JSON.stringify(published.at(-1)).slice(0, 500);
    return { text, signature: world.sign(text) };
  }, /desired-state/),
};

const oneOf = (troubles: Readonly<Record<string, Trouble>>) => fc.constantFrom(...Object.keys(troubles));
/** One step of a cluster's life. */
const step = fc.record({
  service: fc.nat({ max: 2 }),
  what: fc.constantFrom("redeploy", "scale", "hosts", "remove", "return", "roll back", "resume", "nothing"),
  cluster: oneOf(clusterTroubles),
  starbase: oneOf(starbaseTroubles),
  shuttle: fc.constantFrom("goes on", "goes on", "is killed", "is stopped"),
  /** In requests to the API server, from the beginning of the trouble. */
  after: fc.nat({ max: 40 }),
  which: fc.nat({ max: 1 }),
});
/** Looked at in every run: the newest state is decided while it cannot be stored, and nothing comes after it. */
const unstored: { readonly steps: Step[]; readonly count: number } = {
  steps: [
    {
      service: 0,
      what: "redeploy",
      cluster: "failing Secrets",
      starbase: "none",
      shuttle: "goes on",
      after: 20,
      which: 0,
    },
  ],
  count: 1,
};
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Whether the service is held at its first version; undefined where the answer of whoever wanted it was lost. */
type Hold = boolean | undefined;

/** One cluster, what Starbase has decided about it, and the Shuttles that look after it. */
type Life = {
  readonly world: World;
  readonly api: KubeApi;
  readonly services: DesiredService[];
  readonly published: DesiredState[];
  readonly isWanted: boolean[];
  readonly holds: Hold[];
  readonly shuttles: WorldShuttle[];
  readonly snapshotMs: number;
  start(at: number): Promise<void>;
};

function publish({ world, published, services, isWanted }: Life): void {
  const document = aDocument(
    world.clusterId,
    published.length + 1,
    services.map((service, at) => ({ ...service, deleted: !isWanted[at] })),
  );
  published.push(document);
  world.starbase.publish(document);
}

async function changeService(life: Life, { service: at, what }: Step): Promise<void> {
  const service = life.services[at]!;
  const operated = async (hold: boolean, ...args: string[]): Promise<void> => {
    const refusal = /not held back|not kept|nothing would change|has no service/;
    await life.world.operate(...args).then(
      ({ json }) => {
        // What was decided meanwhile and is not on the cluster yet may name another deployment, which ends the hold.
        const { instead_of = service.provenance.deployment_id } = json as { instead_of?: string };
        life.holds[at] = instead_of === service.provenance.deployment_id ? hold : undefined;
      },
      (error: Error) => refusal.test(error.message) || (life.holds[at] = undefined),
    );
  };
  if (what === "nothing") return;
  if (what === "roll back") return operated(true, "rollback", service.service_name, "1", "--by", "ada");
  if (what === "resume") return operated(false, "resume", service.service_name);
  if (what === "redeploy" || what === "return") {
    life.services[at] = redeployed(service, { env: { AT: String(life.published.length) } });
    life.holds[at] = false;
  }
  if (what === "scale" && service.replicas > 0)
    life.services[at] = { ...service, replicas: (service.replicas % 3) + 1 };
  if (what === "hosts" && service.service_type === "web")
    life.services[at] = {
      ...service,
      hostnames: [...service.hostnames, `h${life.published.length}.example.com`],
    };
  life.isWanted[at] = what !== "remove";
  if (!life.isWanted[at]) life.holds[at] = false;
  publish(life);
}

/** Until somebody has asked so much of the API server, or nobody asks any more. */
async function requestsLater({ world: { fake } }: Life, count: number): Promise<void> {
  const before = fake.requests.count();
  await until("so much was asked", () => fake.requests.count() >= before + count, {
    withinMs: 1_500,
    everyMs: 5,
  }).catch(() => undefined);
}

async function live(life: Life, step: Step): Promise<void> {
  const endings = [await clusterTroubles[step.cluster]!(life), await starbaseTroubles[step.starbase]!(life)];
  await changeService(life, step);
  await requestsLater(life, step.after);
  const at = step.which % life.shuttles.length;
  if (step.shuttle === "is killed") await life.shuttles[at]!.kill();
  if (step.shuttle === "is stopped") await life.shuttles[at]![Symbol.asyncDispose]();
  if (step.shuttle !== "goes on") await life.start(at);
  await requestsLater(life, 10);
  for (const end of endings) await end();
}

/** What is to run in the end: the newest decided state, with what is held back at its first version. */
async function wantedOf({ published, holds, world }: Life): Promise<readonly DesiredService[]> {
  const [first, newest] = [published[0]!, published.at(-1)!];
  const { services } = (await world.operate("status")).json as {
    services: { service_id: string; held_at_version: number | null }[];
  };
  return newest.services.flatMap((service, at) => {
    if (service.deleted) return [];
    const told = services.find(({ service_id }) => service_id === service.service_id);
    const isHeld = told?.held_at_version === 1;
    if (holds[at] !== undefined && isHeld !== holds[at])
      throw new Error(`${service.service_name} is ${isHeld ? "" : "not "}held back, by \`shuttle status\``);
    if (!isHeld) return [service];
    const { replicas, hostname, hostnames, deleted } = service;
    return [{ ...first.services[at]!, replicas, hostname, hostnames, deleted }];
  });
}

/** In what the reports that Starbase has differ from what runs as wanted. */
function misreported({ world, published }: Life, wanted: readonly DesiredService[]): readonly string[] {
  const newest = published.at(-1)!;
  return wanted.flatMap((service) => {
    const isHeld = newest.services.every(
      ({ provenance }) => provenance.deployment_id !== service.provenance.deployment_id,
    );
    const report = world.starbase.told.reports.get(service.service_id);
    const right = {
      deployment_id: service.provenance.deployment_id,
      observed_version: newest.version,
      phase: service.service_type === "cron" ? "scheduled" : "running",
      ready_replicas: service.replicas,
      desired_replicas: service.replicas,
      divergence: isHeld ? 1 : undefined,
    };
    const seen = report && {
      ...Object.fromEntries(Object.keys(right).map((name) => [name, report[name as keyof typeof report]])),
      divergence: report.divergence?.from_version,
    };
    return JSON.stringify(seen) === JSON.stringify(right)
      ? []
      : [`${service.service_name} is reported as ${JSON.stringify({ ...seen, reason: report?.reason })}`];
  });
}

type Container = { state: { running?: { startedAt: string } } };
/** Ticks of pods that run that Starbase was not told of. */
function unmetered({ world, services, snapshotMs }: Life): readonly string[] {
  const counted = new Set(
    [...world.starbase.told.snapshots.values()].map((one) => `${one.pod_id} ${one.snapshot_timestamp}`),
  );
  const untilMs = world.fake.clock.now().getTime() - 2 * snapshotMs;
  const pods = world.fake.client.list("v1", "Pod", services[0]!.namespace);
  return pods.flatMap(({ metadata, status }) => {
    const [container] = (status as { containerStatuses?: Container[] }).containerStatuses ?? [];
    const startedAt = Date.parse(container?.state.running?.startedAt ?? "");
    const ticks: string[] = [];
    for (let at = Math.ceil(startedAt / snapshotMs) * snapshotMs; at <= untilMs; at += snapshotMs)
      ticks.push(`${metadata.name} ${new Date(at).toISOString()}`);
    return ticks.filter((tick) => !counted.has(tick));
  });
}

/** How many Shuttles passed over all services while one of them did so three times. */
async function leaders({ world, shuttles }: Life): Promise<number> {
  const passes = () => Promise.all(shuttles.map((shuttle) => world.passes(shuttle)));
  const before = await passes();
  const after = await until("one passes over all services", async () => {
    const now = await passes();
    return now.some((count, at) => count >= before[at]! + 3) && now;
  });
  return after.filter((count, at) => count > before[at]!).length;
}

/** What nobody but its owner may touch: strangers' objects where Shuttle works, and another cluster's. */
const strangers = (namespace: string, clusterId: string) => [
  { ...kinds.configMap, metadata: { name: "foreign", namespace }, data: { keep: "me" } },
  { ...kinds.secret, metadata: { name: "foreign", namespace }, stringData: { keep: "me" } },
  {
    ...kinds.configMap,
    metadata: {
      name: "of-another-cluster",
      namespace,
      labels: { "starform.io/managed-by": "shuttle", "starform.io/cluster-id": clusterId },
    },
  },
  {
    ...kinds.secret,
    metadata: { name: "shuttle-desired-of-mine", namespace: system },
    stringData: { keep: "me" },
  },
  { ...kinds.configMap, metadata: { name: "outside", namespace: "default" }, data: { keep: "me" } },
];

async function openLife(count: number): Promise<Life & AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const clock = fastClock(speed);
  const time: Time = {
    nowMs: () => clock.now().getTime(),
    elapsedMs: () => performance.now() * speed,
    pause: (ms, signal) => pause(ms / speed, signal),
  };
  const world = stack.use(await openWorld({ clock, time }));
  const api = stack.use(await openKubeApi({ kubeconfig: world.fake.kubeconfig() }));
  const project = { workspace_id: randomUUID(), project_id: randomUUID() };
  const image = `registry.example.com/shop/web@sha256:${"d".repeat(64)}`;
  const isNoServer = {
    hostname: null,
    ports: [],
    probes: { startup: none, readiness: none, liveness: none },
  } as const;
  const services = [
    aService({ ...project, image, var_groups: [group()] }),
    aService({
      ...project,
      ...isNoServer,
      image,
      service_type: "worker",
      service_name: "mailer",
      replicas: 2,
      ports: [],
    }),
    aService({
      ...project,
      ...isNoServer,
      image,
      service_type: "cron",
      service_name: "nightly",
      replicas: 0,
      schedule: "0 4 1 1 *",
      ports: [],
    }),
  ];
  const life: Life = {
    world,
    api,
    services,
    published: [],
    isWanted: services.map(() => true),
    holds: services.map(() => false),
    shuttles: [],
    // Without a volume, what was not told is made up for ten ticks back: long enough for a whole life.
    snapshotMs: count > 1 ? 60_000 : 20_000,
    async start(at) {
      life.shuttles[at] = await world.shuttle({
        STARFORM_SNAPSHOT_INTERVAL: `${life.snapshotMs}ms`,
        STARFORM_CAPACITY_INTERVAL: "20s",
        STARFORM_RECONCILE_INTERVAL: "5s",
        STARFORM_STATUS_INTERVAL: "5s",
        STARFORM_LOG_LEVEL: process.env["SHUTTLE_LOG"] ?? "error",
        // Two need no volume, which only one of them could have.
        ...(count > 1
          ? { STARFORM_LEADER_ELECTION: "true" }
          : { STARFORM_DATA_DIR: join(world.dir, `replica-${at}`) }),
      });
    },
  };
  stack.defer(async () => {
    for (const shuttle of life.shuttles) await shuttle[Symbol.asyncDispose]();
  });
  publish(life);
  for (let at = 0; at < count; at++) await life.start(at);
  await until("the first version is kept", async () => (await keptVersions(life)).length === 1);
  // So that there is something to go back to.
  for (const [at, service] of services.entries()) services[at] = redeployed(service, { env: { AT: "2" } });
  publish(life);
  await isAsDecided(life);
  // From here on its log knows how far it was written.
  await until("usage was told", () => world.starbase.told.snapshots.size > 0);
  for (const stranger of strangers(services[0]!.namespace, randomUUID())) world.fake.client.create(stranger);
  const all = stack.move();
  return { ...life, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/** Waits until the cluster is as it was decided, and Starbase was told so. */
async function isAsDecided(life: Life): Promise<void> {
  const { world, api, services } = life;
  const rig = { api, clusterId: world.clusterId };
  let wrong: readonly string[] = [];
  await until(
    "all is as it was decided",
    async () => {
      const wanted = await wantedOf(life);
      wrong = [
        ...(await differences(rig, services[0]!.namespace, wanted)),
        ...misreported(life, wanted),
        ...unmetered(life),
      ];
      return wrong.length === 0;
    },
    { withinMs: 45_000, everyMs: 100 },
  ).catch((error: Error) => {
    throw new Error(wrong.join("; "), { cause: error });
  });
}

/** Versions that are kept on the cluster, newest first. */
async function keptVersions({ api, published }: Life): Promise<readonly number[]> {
  const kept = await kubernetesDesiredStore(keptSecrets(api, system, "desired-state")).load();
  const texts = published.map((document) => JSON.stringify(document));
  return kept.map(({ text }) => texts.indexOf(text) + 1);
}

test(
  "whatever befalls Shuttle, its cluster and Starbase, all comes to be as it was last decided",
  { timeout: 400_000 },
  async () => {
    const life = fc.record({
      steps: fc.array(step, { minLength: 2, maxLength: 5 }),
      count: fc.constantFrom(2, 1),
    });
    await fc.assert(
      fc.asyncProperty(life, async ({ steps, count }) => {
        await using life = await openLife(count);
        const { world, api } = life;
        const foreign = async () =>
          JSON.stringify(
            await Promise.all(
              strangers(life.services[0]!.namespace, "").map(({ apiVersion, kind, metadata }) =>
                api.get({ apiVersion, kind, name: metadata.name, namespace: metadata.namespace }),
              ),
            ),
          );
        const untouched = await foreign();
        for (const one of steps) await live(life, one);
        world.fake.faults.clear();
        await isAsDecided(life);
        expect(await leaders(life)).toBe(1);
        await until(
          "the newest state is kept",
          async () => (await keptVersions(life))[0] === life.published.length,
        );
        const kept = await keptVersions(life);
        expect(kept).toEqual([...new Set(kept)].toSorted((a, b) => b - a));
        expect(kept.at(-1)).toBe(1);
        const snapshots = [...world.starbase.told.snapshots.values()];
        expect(snapshots.every((one) => Date.parse(one.snapshot_timestamp) % life.snapshotMs === 0)).toBe(
          true,
        );
        const ticks = snapshots.map((one) => `${one.pod_id} ${one.snapshot_timestamp}`);
        expect(new Set(ticks).size).toBe(ticks.length);
        expect(await foreign()).toBe(untouched);
      }),
      {
        seed,
        numRuns: runs,
        examples: [[unstored]],
        endOnFailure: true,
        interruptAfterTimeLimit: 240_000,
        markInterruptAsFailure: false,
      },
    );
  },
);
