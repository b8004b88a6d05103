import { randomUUID } from "node:crypto";
import type { CronRunReport, DesiredState, StatusReport } from "@starform/contract/clusters";
import { Fault } from "@starform/std/fault";
import { until } from "@starform/std/retry";
import { expect, test } from "vitest";
import { aDocument, aService } from "../../test/desired.ts";
import type { Cluster } from "../core/cluster.ts";
import type { Override } from "../core/overrides.ts";
import type { Starbase } from "../core/ports.ts";
import { keyOf } from "../core/service-key.ts";
import type { Warn } from "../core/warn.ts";
import { reconcileService } from "./reconcile.ts";
import { snapshotLoop } from "./snapshots.ts";
import { statusLoop } from "./status.ts";

const clusterId = randomUUID();
const never = async (): Promise<never> => {
  throw new Fault("unavailable", "Starbase is away");
};
const away: Starbase = {
  fetchDesired: never,
  postSnapshots: never,
  postCapacity: never,
  postStatus: never,
  register: never,
};
test("only what the inventory knows is removed, only by a document that is there, and what is left alone is left", async () => {
  const [kept, gone] = [aService({ image: "a" }), aService({ image: "b" })];
  const calls: string[] = [];
  const cluster = {
    apply: async (service: { image: string }) => void calls.push(`apply ${service.image}`),
    watch: async (service: { image: string }, version: number) =>
      void calls.push(`watch ${service.image} ${version}`),
    remove: async (key: string) => void calls.push(`remove ${key}`),
    inventory: async () => [keyOf(gone)],
  } as unknown as Cluster;
  let state: DesiredState | undefined;
  const left = new Set<string>();
  const isLeftAlone = (key: string) => left.has(key);
  const reconcile = reconcileService({ desired: () => state, cluster, isLeftAlone, looked: () => undefined });
  const signal = new AbortController().signal;
  await reconcile(keyOf(gone), signal);
  expect(calls).toEqual([]);
  state = aDocument(clusterId, 1, [kept, { ...aService({ image: "c" }), deleted: true }]);
  for (const key of [keyOf(kept), keyOf(gone), "unknown/production/unknown"]) await reconcile(key, signal);
  expect(calls).toEqual(["apply a", `remove ${keyOf(gone)}`]);
  left.add(keyOf(kept));
  await reconcile(keyOf(kept), signal);
  expect(calls.slice(2)).toEqual(["watch a 1"]);
});

test("a change is reported once, an outage is made up for, and a cron run is told until it is taken", async () => {
  const service = aService({ image: "a" });
  const report: StatusReport = {
    service_id: service.service_id,
    environment: "production",
    deployment_id: service.provenance.deployment_id,
    observed_version: 1,
    phase: "starting",
    ready_replicas: 0,
    desired_replicas: 1,
    restarts: 0,
    reason: null,
    serving_deployment_id: null,
  };
  let seen = report;
  let runs = [{ run_id: "1", outcome: "succeeded" } as CronRunReport];
  const cluster = {
    observe: () => seen,
    cronRuns: () => runs,
    cronRunsTaken: async () => void (runs = []),
  } as unknown as Cluster;
  const posts: [number, number][] = [];
  const phases: string[] = [];
  let isAway = true;
  const starbase: Starbase = {
    ...away,
    async postStatus(reports, cronRuns) {
      if (isAway) return never();
      posts.push([reports.length, cronRuns.length]);
      phases.push(...reports.map(({ phase }) => phase));
      return [];
    },
  };
  await using status = statusLoop(
    {
      starbase,
      cluster,
      keys: () => [keyOf(service)],
      override: () => undefined,
      overrideTold: () => undefined,
      leftAlone: (_, observed) => observed,
      warn: () => undefined,
    },
    3_600_000,
  );
  status.look(keyOf(service));
  seen = { ...report, phase: "running", ready_replicas: 1 };
  isAway = false;
  await until("it was told", () => posts.length === 1);
  for (const version of [2, 3]) {
    seen = { ...seen, observed_version: version };
    status.look(keyOf(service));
  }
  seen = { ...seen, phase: "crashed", reason: "exited" };
  status.look(keyOf(service));
  await until("the crash was told", () => phases.includes("crashed"));
  expect(posts[0]).toEqual([1, 1]);
  expect(phases).toEqual(["running", "crashed"]);
});

test("however much is to be told of the services, none of it is more than Starbase takes at once", async () => {
  const services = Array.from({ length: 300 }, () => aService({ image: "a" }));
  const field = (at: number) => `metadata.labels.${"x".repeat(60)}${at}`;
  const drift = Array.from({ length: 40 }, (_, at) => ({
    object: `Deployment/svc-${at}`,
    what: "changed" as const,
    fields: [0, 1, 2, 3, 4].map(field),
    by: "kubectl-label",
    at: "2026-11-29T12:00:00.000Z",
  }));
  const reports = new Map(
    services.map((service) => [
      keyOf(service),
      {
        service_id: service.service_id,
        environment: "production",
        deployment_id: service.provenance.deployment_id,
        observed_version: 1,
        phase: "running",
        ready_replicas: 1,
        desired_replicas: 1,
        restarts: 0,
        reason: null,
        serving_deployment_id: null,
        drift,
      } satisfies StatusReport,
    ]),
  );
  const taken = new Set<string>();
  const starbase: Starbase = {
    ...away,
    async postStatus(posted) {
      if (JSON.stringify(posted).length > 4 * 2 ** 20) throw new Fault("too_large", "the body is too large");
      for (const { service_id } of posted) taken.add(service_id);
      return [];
    },
  };
  const cluster = { observe: (key: string) => reports.get(key), cronRuns: () => [] } as unknown as Cluster;
  await using _status = statusLoop(
    {
      starbase,
      cluster,
      keys: () => [...reports.keys()],
      override: () => undefined,
      overrideTold: () => undefined,
      leftAlone: (_, observed) => observed,
      warn: () => undefined,
    },
    3_600_000,
  );
  await until("all are told", () => taken.size === services.length);
});

test("what held a service back and is over is told before what holds it now, the oldest first", async () => {
  const service = aService({ image: "a" });
  const hold = (by: string, hour: number) => ({
    from_version: 1,
    instead_of: service.provenance.deployment_id,
    by,
    at: `2026-11-29T1${hour}:00:00.000Z`,
  });
  const over = (by: string, hour: number) => ({
    ...hold(by, hour),
    let_go: { by: `${by}'s friend`, at: `2026-11-29T1${hour}:30:00.000Z` },
  });
  const told = (by: string, hour: number) => ({
    ...hold(by, hour),
    let_go_by: `${by}'s friend`,
    let_go_at: `2026-11-29T1${hour}:30:00.000Z`,
  });
  const kept = { key: keyOf(service), service };
  const reports: StatusReport[] = [];
  let override: Override = { ...kept, ...hold("lee", 2), earlier: [over("ada", 0), over("kim", 1)] };
  await using status = statusLoop(
    {
      starbase: { ...away, postStatus: async (sent) => (reports.push(...sent), []) },
      cluster: {
        observe: () => ({ service_id: service.service_id }) as StatusReport,
        cronRuns: () => [],
      } as unknown as Cluster,
      keys: () => [keyOf(service)],
      override: () => override,
      overrideTold: () => undefined,
      leftAlone: (_, observed) => observed,
      warn: () => undefined,
    },
    3_600_000,
  );
  status.look(keyOf(service));
  await until("it is told", () => reports.length === 1);
  expect(reports[0]).toEqual({
    service_id: service.service_id,
    divergence: hold("lee", 2),
    let_go: told("kim", 1),
    let_go_earlier: [told("ada", 0)],
  });
  override = { ...override, ...over("lee", 2) };
  status.look(keyOf(service));
  await until("its end is told", () => reports.length === 2);
  expect(reports[1]).toEqual({
    service_id: service.service_id,
    let_go: told("lee", 2),
    let_go_earlier: [told("ada", 0), told("kim", 1)],
  });
});

test("snapshots of an outage follow in their order, and a batch that is refused for good holds up no other", async () => {
  const batches = new Map<string, string>();
  const [taken, refused, warned]: [string[], string[], Parameters<Warn>[]] = [[], [], []];
  const service = aService({ image: "a" });
  const pod = {
    podId: "p",
    workspaceId: randomUUID(),
    projectId: randomUUID(),
    environment: "production",
    serviceId: randomUUID(),
    tier: "nova",
    phase: "Running",
    cpuRequestMillis: 1,
    memoryRequestBytes: 1,
  } as const;
  let isAway = true;
  let asked = 0;
  const starbase: Starbase = {
    ...away,
    async postSnapshots(snapshots) {
      asked += 1;
      if (isAway) return never();
      if (snapshots[0]?.snapshot_timestamp === [...batches.values()][0] && refused.length === 0)
        throw new Fault("invalid", "no");
      taken.push(snapshots[0]!.snapshot_timestamp);
      const key = keyOf(service);
      return taken.length === 2
        ? [
            { podId: "pod-a", key, reason: "it does not run here" },
            { podId: "pod-b", key: undefined, reason: "no such service" },
          ]
        : [];
    },
  };
  const first = () => [...batches.keys()].sort()[0];
  await using _loop = snapshotLoop(
    {
      starbase,
      warn: (...said) => void warned.push(said),
      sent: () => undefined,
      failed: () => undefined,
      clusterId,
      cluster: { runningPods: async () => [pod] } as unknown as Cluster,
      log: {
        outlivesProcess: true,
        writtenThrough: () => undefined,
        append: (snapshots, at) => void batches.set(at.toISOString(), snapshots[0]!.snapshot_timestamp),
        oldest: () =>
          first() ? { name: first()!, snapshots: [{ snapshot_timestamp: first()! } as never] } : undefined,
        taken: (name) => void batches.delete(name),
        refused: (name) => void (batches.delete(name), refused.push(name)),
      },
    },
    200,
  );
  await until("three were kept back", () => batches.size >= 3 && asked >= 2);
  isAway = false;
  await until("all but one are taken", () => taken.length >= 3 && batches.size === 0);
  expect(taken).toEqual([...taken].sort());
  expect(refused).toHaveLength(1);
  expect(taken).not.toContain(refused[0]);
  expect(warned.filter(([sentence]) => sentence.includes("did not count"))).toEqual([
    ["Starbase did not count 1 of 1 snapshots: pod-a: it does not run here", keyOf(service)],
    ["Starbase did not count 1 of 1 snapshots: pod-b: no such service", undefined],
  ]);
});
