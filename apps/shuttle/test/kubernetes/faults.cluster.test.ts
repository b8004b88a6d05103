import type { DesiredService } from "@starform/contract/clusters";
import { openKubeApi } from "@starform/kubernetes/open-kube-api";
import { until } from "@starform/std/retry";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { redeployed } from "../desired.ts";
import { comesToBe } from "./as-wanted.ts";
import { kinds, openKubeRig, type KubeRig } from "./cluster-rig.ts";
import { fastClock } from "./fast-clock.ts";
import { group } from "./samples.ts";

/** The seed of this run is printed; with FAULT_SEED it is the same again. */
const seed = Number(process.env["FAULT_SEED"] ?? Date.now() % 2 ** 31);
console.log(`faults: FAULT_SEED=${seed}`);

/** How much faster than ours the cluster's clock is: pods end and are replaced while a test waits. */
const speed = 20;
const none = { kind: "none", timeout_seconds: 300 } as const;
const worker: Partial<DesiredService> = {
  service_type: "worker",
  hostname: null,
  ports: [],
  probes: { startup: none, readiness: none, liveness: none },
};

type Fake = NonNullable<KubeRig["fake"]>;
/** What goes wrong while Shuttle works; the answer ends it. */
type Trouble = { readonly name: string; begin(fake: Fake): Promise<() => Promise<void> | void> };

const writes = "patch,create,delete";
const trouble = (name: string, begin: (fake: Fake) => (() => void) | void): Trouble => ({
  name,
  begin: async (fake) => begin(fake) ?? (() => undefined),
});
const troubles: readonly Trouble[] = [
  { name: "the server is gone", begin: (fake) => fake.refuseConnections() },
  trouble("it is slow", (fake) => fake.faults.add({}, { delayMs: 60 * speed }, { times: 60 })),
  trouble("it is overloaded", (fake) =>
    fake.faults.add({}, { status: 429, retryAfterSeconds: 1 }, { times: 8 }),
  ),
  trouble("it fails", (fake) => fake.faults.add({}, { status: 500, reason: "InternalError" }, { times: 16 })),
  trouble("its reads fail", (fake) =>
    fake.faults.add({ verb: "get,list,watch" }, { status: 500, reason: "InternalError" }, { times: 24 }),
  ),
  trouble("writes conflict", (fake) => fake.faults.add({ verb: "patch" }, { conflict: true }, { times: 12 })),
  trouble("answers to writes are lost", (fake) =>
    fake.faults.add({ verb: writes }, { cut: "after" }, { times: 6 }),
  ),
  trouble("requests are lost", (fake) => fake.faults.add({}, { cut: "before" }, { times: 10 })),
  trouble("watches end early", (fake) =>
    fake.faults.add({ verb: "watch" }, { cutAfterEvents: 1 }, { times: 20 }),
  ),
  trouble("watches are cut", (fake) => fake.cutWatches()),
  trouble("history is forgotten", (fake) => {
    fake.compact();
    fake.cutWatches();
  }),
  trouble("lists are stale", (fake) => {
    const staleRevision = Math.max(1, fake.cluster.store.revision() - 5);
    const undo = fake.faults.add({ verb: "list" }, { staleRevision }, { times: 6 });
    fake.cutWatches();
    return undo;
  }),
];

/** One step of a cluster's life. */
const change = fc.record({
  service: fc.nat({ max: 2 }),
  what: fc.constantFrom("redeploy", "scale", "hosts", "remove", "return"),
  trouble: fc.nat({ max: troubles.length - 1 }),
  restart: fc.boolean(),
});

function changed(service: DesiredService, what: string): DesiredService | undefined {
  if (what === "remove") return undefined;
  if (what === "redeploy") return redeployed(service, { env: { AT: String(Math.random()) } });
  if (what === "scale" && service.replicas > 0) return { ...service, replicas: (service.replicas % 3) + 1 };
  if (what === "hosts")
    return { ...service, hostnames: [...service.hostnames, `h${service.hostnames.length}.example.com`] };
  return service;
}

const shuttleOf = async (rig: KubeRig) =>
  rig.shuttle({
    api: await openKubeApi({ kubeconfig: rig.fake!.kubeconfig() }, { timeoutMs: 1_000 }),
    silentMaxMs: 2_000,
  });

/** What is foreign, byte for byte. */
const foreignOf = async (rig: KubeRig, namespace: string) =>
  JSON.stringify([
    await rig.api.get({ ...kinds.configMap, name: "foreign", namespace }),
    await rig.api.get({ ...kinds.configMap, name: "outside", namespace: "default" }),
  ]);

test(
  "whatever goes wrong on the way, the cluster comes to what is wanted, and nothing foreign is touched",
  { timeout: 300_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 2, maxLength: 5 }), async (changes) => {
        await using rig = await openKubeRig({ isFake: true, clock: fastClock(speed) });
        const fake = rig.fake!;
        let shuttle = await shuttleOf(rig);
        const project = rig.project();
        const services = [
          rig.service({ ...project, var_groups: [group()] }),
          rig.service({ ...project, ...worker, replicas: 2, var_groups: [group()] }),
          rig.service({ ...project, ...worker, service_type: "cron", replicas: 0, schedule: "0 4 1 1 *" }),
        ];
        const wanted = new Map(services.map((service, at) => [at, service as DesiredService | undefined]));
        for (const service of services) shuttle.hand.want(service);
        await until("it has begun", async () => (await rig.of(kinds.deployment, project)).length > 0);
        for (const [name, namespace] of [
          ["foreign", project.namespace],
          ["outside", "default"],
        ] as const)
          await rig.api.create({
            ...kinds.configMap,
            metadata: { name, namespace },
            data: { keep: "me" },
          } as never);
        const foreign = await foreignOf(rig, project.namespace);
        for (const { service: at, what, trouble, restart } of changes) {
          const end = await troubles[trouble]!.begin(fake);
          const next = changed(wanted.get(at) ?? services[at]!, what);
          if (next) services[at] = next;
          wanted.set(at, next);
          if (next) shuttle.hand.want(next);
          else shuttle.hand.unwant(services[at]!);
          if (restart) {
            await shuttle[Symbol.asyncDispose]();
            shuttle = await shuttleOf(rig);
            for (const [place, service] of wanted)
              if (service) shuttle.hand.want(service);
              else shuttle.hand.unwant(services[place]!);
          }
          await end();
        }
        fake.faults.clear();
        const all = [...wanted.values()].filter((service) => service !== undefined);
        await comesToBe(rig, project.namespace, all, () => shuttle.warned);
        for (const service of all)
          await shuttle.hand.reaches(service, service.service_type === "cron" ? "scheduled" : "running");
        expect(await foreignOf(rig, project.namespace)).toBe(foreign);
        await shuttle[Symbol.asyncDispose]();
      }),
      { seed, numRuns: 8, endOnFailure: true },
    );
  },
);

test("after etcd was restored to an older state, the cluster comes back to what is wanted", async () => {
  await using rig = await openKubeRig({ isFake: true, clock: fastClock(speed) });
  await using shuttle = await shuttleOf(rig);
  const project = rig.project();
  const isAs = (...services: readonly DesiredService[]) =>
    comesToBe(rig, project.namespace, services, () => shuttle.warned);
  const old = shuttle.hand.want(rig.service({ ...project, var_groups: [group()] }));
  await isAs(old);
  const hourAgo = rig.fake!.snapshot();
  const now = shuttle.hand.want(redeployed(old, { hostnames: ["late.example.com"] }));
  const late = shuttle.hand.want(rig.service({ ...project, ...worker }));
  await isAs(now, late);
  rig.fake!.restore(hourAgo);
  await isAs(now, late);
  shuttle.hand.unwant(late);
  await isAs(now);
});
