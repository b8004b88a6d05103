import { until } from "@starform/std/retry";
import { afterAll, beforeAll, expect, test } from "vitest";
import { shuttleMetrics } from "../../src/core/metrics.ts";
import { snapshotsOf, tickOf } from "../../src/core/snapshots.ts";
import { metricsText } from "../../src/loops/usage.ts";
import { steppedClock } from "@starform/testkit/kubernetes/clock";
import { redeployed } from "../desired.ts";
import { kinds, openKubeRig, type KubeRig } from "./cluster-rig.ts";
import { fastClock } from "./fast-clock.ts";

/** Needs pods that run, so it is on the fake cluster only. */
let rig: KubeRig;
beforeAll(async () => {
  rig = await openKubeRig({ clock: fastClock(10), isFake: true });
});
afterAll(() => rig[Symbol.asyncDispose]());

test("each running pod is metered once, with what it asks for; a repeat and a clock set back change nothing", async () => {
  await using shuttle = await rig.shuttle();
  const service = shuttle.hand.want(
    rig.service({ replicas: 2, tier: "nova", resources: { cpu_millis: 500, memory_bytes: 2 ** 30 } }),
  );
  await shuttle.hand.reaches(service, "running");
  const pods = (await shuttle.cluster.runningPods()).filter((pod) => pod.serviceId === service.service_id);
  expect(pods.map(({ podId: _, startedAtMs: __, ...rest }) => rest)).toEqual(
    Array.from({ length: 2 }, () => ({
      workspaceId: service.workspace_id,
      projectId: service.project_id,
      environment: "production",
      serviceId: service.service_id,
      tier: "nova",
      phase: "Running",
      cpuRequestMillis: 500,
      memoryRequestBytes: 2 ** 30,
    })),
  );
  const started = rig
    .fake!.client.list("v1", "Pod", service.namespace)
    .map(
      ({ status }) =>
        (status as { containerStatuses: { state: { running: { startedAt: string } } }[] })
          .containerStatuses[0]!.state.running.startedAt,
    );
  expect(pods.map(({ startedAtMs }) => startedAtMs).toSorted()).toEqual(started.map(Date.parse).toSorted());
  const minute = Date.parse("2026-11-29T08:00:00Z");
  // Set back by half a minute within the tick, then told again from a store in which each pod stands twice.
  const ids = [minute + 45_000, minute + 15_000].flatMap((at) =>
    snapshotsOf([...pods, ...pods], tickOf(at, 60_000)).map(({ snapshot_id }) => snapshot_id),
  );
  expect(ids.length).toBe(4);
  expect(new Set(ids).size).toBe(2);
});

test("a pod whose labels somebody spoiled is told, and keeps no other from being billed", async () => {
  await using shuttle = await rig.shuttle();
  const service = shuttle.hand.want(rig.service({ replicas: 2 }));
  await shuttle.hand.reaches(service, "running");
  const running = async () =>
    (await shuttle.cluster.runningPods())
      .filter(({ serviceId }) => serviceId === service.service_id)
      .map(({ podId }) => podId);
  const [spoiled, sound] = await running();
  const label = (labels: Record<string, string | null>) =>
    rig.api.patch({ ...kinds.pod, name: spoiled!, namespace: service.namespace }, { metadata: { labels } });
  for (const labels of [{ "starform.io/tier": "huge" }, { "starform.io/workspace-id": null }]) {
    await label(labels);
    await until("it is left out", async () => !(await running()).includes(spoiled!));
    expect(await running()).toEqual([sound]);
    await label({ "starform.io/tier": service.tier, "starform.io/workspace-id": service.workspace_id });
    await until("it is billed again", async () => (await running()).length === 2);
  }
  expect(shuttle.warned.filter((line) => line.includes(`${spoiled} is not billed`)).length).toBe(2);
});

test("a watch that froze is noticed, told, counted and repaired, and what is metered is true again", async () => {
  const frozen: string[] = [];
  await using shuttle = await rig.shuttle({
    silentMaxMs: 1_500,
    frozen: (resource) => void frozen.push(resource),
  });
  const service = shuttle.hand.want(rig.service());
  await shuttle.hand.reaches(service, "running");
  const pods = async () =>
    (await shuttle.cluster.runningPods()).filter((pod) => pod.serviceId === service.service_id).length;
  const metrics = shuttleMetrics();
  const text = metricsText({ cluster: shuttle.cluster, metrics, warn: () => undefined });
  const frozenTotal = async () =>
    Number(/starform_informer_frozen_total\{resource="pods"\} (\d+)/.exec(await text())?.[1]);
  const frozenBefore = await frozenTotal();
  const undo = rig.fake!.faults.add({ verb: "watch", resource: "pods" }, { hangs: true });
  rig.fake!.cutWatches();
  shuttle.hand.want({ ...service, replicas: 3 });
  await until("three are metered all the same", async () => (await pods()) === 3, { withinMs: 30_000 });
  expect(frozen).toContain("pods");
  expect(shuttle.warned.join("\n")).toMatch(/nothing was heard of pods for 2 s; the list is read anew/);
  await until("the freeze is counted", async () => (await frozenTotal()) > frozenBefore);
  undo();
  expect(await text()).toMatch(/starform_informer_last_event_timestamp_seconds\{resource="pods"\} \d{10}/);
  expect(
    Number(/starform_informer_watch_errors_total\{resource="pods"\} (\d+)/.exec(await text())?.[1]),
  ).toBeGreaterThan(0);
});

test("the capacity is what ready nodes have and what the apps' pods ask for, not the cluster's own", async () => {
  await using shuttle = await rig.shuttle();
  rig.fake!.client.create({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "agent", namespace: "kube-system" },
    spec: {
      containers: [{ name: "agent", image: "agent:1", resources: { requests: { cpu: "3", memory: "1Gi" } } }],
    },
  });
  const service = shuttle.hand.want(rig.service());
  await shuttle.hand.reaches(service, "running");
  const capacity = await shuttle.cluster.capacity();
  expect(capacity).toMatchObject({ nodes: 3, cpuAllocatableMillis: 12_000 });
  expect(capacity.podCount).toBeGreaterThanOrEqual(1);
  expect(capacity.cpuRequestedMillis).toBeGreaterThanOrEqual(250);
  expect(capacity.cpuRequestedMillis).toBeLessThan(3_000);
  expect(capacity.memoryAllocatableBytes).toBeGreaterThan(40 * 2 ** 30);
});

test("on a node that is away nothing is metered, nor twice when it is back, and the status says why", async () => {
  await using own = await openKubeRig({
    isFake: true,
    clock: steppedClock(new Date("2026-11-29T08:00:00Z")),
  });
  const fake = own.fake!;
  await using shuttle = await own.shuttle();
  const service = shuttle.hand.want(own.service());
  const running = async () => (await shuttle.cluster.runningPods()).map(({ podId }) => podId);
  const after = <T>(what: string, look: () => Promise<T>) =>
    until(what, async () => {
      await fake.advance(1_000);
      return look();
    });
  await after("it runs", async () => shuttle.report(service)?.phase === "running");
  const [first] = await own.of(kinds.pod, service);
  expect(await running()).toEqual([first!.metadata.name]);
  const node = (first!["spec"] as { nodeName: string }).nodeName;
  fake.nodes.fail(node);
  await after("it is cut off", async () => (await running()).length === 0);
  expect(shuttle.report(service)).toMatchObject({
    phase: "starting",
    ready_replicas: 0,
    reason: expect.stringMatching(/^its node does not answer: /),
  });
  // It was silent and no more.
  fake.nodes.recover(node);
  await after("it is heard of", async () => (await running()).length === 1);
  expect(await running()).toEqual([first!.metadata.name]);
  await after("all is well", async () => shuttle.report(service)?.reason === null);

  fake.nodes.fail(node);
  await fake.advance(310_000);
  await after("another runs", async () => shuttle.report(service)?.phase === "running");
  const [second] = await running();
  expect(await running()).toEqual([second]);
  expect(second).not.toBe(first!.metadata.name);
  expect((await own.of(kinds.pod, service)).length).toBe(2);
  // The first ends only now.
  fake.nodes.recover(node);
  const looks: (readonly string[])[] = [];
  await after("the first is gone", async () => {
    looks.push(await running());
    return (await own.of(kinds.pod, service)).length === 1;
  });
  expect(looks.every((look) => look.join() === second)).toBe(true);
});

test("a service whose volume is on a node that is away says what it waits for, and begins once that is back", async () => {
  await using own = await openKubeRig({
    isFake: true,
    clock: steppedClock(new Date("2026-11-29T08:00:00Z")),
  });
  const fake = own.fake!;
  await using shuttle = await own.shuttle();
  const volumes = [{ name: "data", mount_path: "/data", size_bytes: 2 ** 30 }];
  const service = shuttle.hand.want(own.service({ volumes }));
  const after = (what: string, look: () => boolean | undefined) =>
    until(what, async () => {
      await fake.advance(1_000);
      return look();
    });
  await after("it runs", () => shuttle.report(service)?.phase === "running");
  const [pod] = await own.of(kinds.pod, service);
  const node = (pod!["spec"] as { nodeName: string }).nodeName;
  fake.nodes.fail(node);
  const next = shuttle.hand.want(redeployed(service));
  await after("it is told", () =>
    shuttle.report(next)?.reason?.startsWith("the instance before it is on a node that does not answer"),
  );
  fake.nodes.recover(node);
  await after("it runs anew", () => shuttle.report(next)?.phase === "running");
  expect(shuttle.report(next)?.reason).toBeNull();
});
