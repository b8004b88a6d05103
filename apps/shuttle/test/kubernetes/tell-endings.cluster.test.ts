import { randomUUID } from "node:crypto";
import type { LogLine } from "@starform/log-shipper/log-shipper";
import { until } from "@starform/std/retry";
import { steppedClock } from "@starform/testkit/kubernetes/clock";
import { afterAll, beforeAll, expect, test } from "vitest";
import { keptSecrets } from "../../src/adapters/kubernetes/kept/kept-secrets.ts";
import { kubernetesToldEndings } from "../../src/adapters/kubernetes/kept/told-endings.ts";
import { plainContext } from "../../src/adapters/kubernetes/manifests/context.ts";
import { keyOf } from "../../src/core/service-key.ts";
import { kinds, openKubeRig, type KubeRig } from "./cluster-rig.ts";

let rig: KubeRig;
beforeAll(async () => {
  rig = await openKubeRig({ isFake: true, clock: steppedClock(new Date("2026-11-29T08:00:00Z")) });
});
afterAll(() => rig[Symbol.asyncDispose]());

const image = () =>
  `registry.example.com/shop/web@sha256:${randomUUID().replaceAll("-", "").padEnd(64, "0")}`;

/** Shuttles of one cluster, one after the other, with one log and one place for what is kept. */
async function aCluster() {
  const { namespace } = rig.project();
  await rig.api.create({ ...kinds.namespace, metadata: { name: namespace } });
  const lines: LogLine[] = [];
  const sink = { ship: (line: LogLine) => void lines.push(line), flush: async () => undefined };
  const secrets = keptSecrets(rig.api, namespace, "told-endings");
  const context = plainContext(randomUUID());
  return {
    lines,
    kept: () => kubernetesToldEndings(secrets).load(),
    shuttle: () => rig.shuttle({ context, logs: { sink, told: kubernetesToldEndings(secrets) } }),
  };
}
const running = (shuttle: Awaited<ReturnType<KubeRig["shuttle"]>>, service: Parameters<typeof keyOf>[0]) =>
  until("it runs", async () => {
    await rig.fake!.advance(1_000);
    return shuttle.cluster.observe(keyOf(service))?.phase === "running";
  });

test("an app's log is told once why a pod was killed, whatever becomes of Shuttle, and of what happened without one", async () => {
  const cluster = await aCluster();
  const service = rig.service({ image: image() });
  const dies = { image: service.image };
  rig.fake!.pods.script(dies, { exit: { code: 137, reason: "OOMKilled", afterMs: 30_000, times: 1 } });
  const first = await cluster.shuttle();
  first.hand.want(service);
  await running(first, service);
  expect(cluster.lines).toEqual([]);
  await rig.fake!.advance(60_000);
  const [line] = await until("it is told", () => cluster.lines.length > 0 && cluster.lines);
  const pod = await rig.theOnly(kinds.pod, service);
  expect(line).toMatchObject({
    workspaceId: service.workspace_id,
    projectId: service.project_id,
    environment: service.environment,
    serviceId: service.service_id,
    deploymentId: service.provenance.deployment_id,
    instanceId: pod.metadata.name,
    stream: "system",
    level: "warn",
    message: expect.stringMatching(/^killed: used more than 512 MiB, the limit of tier mininova: /),
  });
  await until("it is written down", async () => (await cluster.kept()).get(pod.metadata.uid!) === 1);
  await first[Symbol.asyncDispose]();

  // Nobody looks while it crashes.
  rig.fake!.pods.script(dies, { exit: { code: 3, afterMs: 30_000, times: 2 } });
  const { name, namespace } = pod.metadata;
  const restarts = async () => {
    await rig.fake!.advance(10_000);
    const [status] = (
      (await rig.api.get({ ...kinds.pod, name, namespace: namespace! })) as unknown as {
        status: { containerStatuses: { restartCount: number }[] };
      }
    ).status.containerStatuses;
    return status!.restartCount === 2;
  };
  await until("it crashed", restarts);
  for (const _time of [1, 2]) {
    await using next = await cluster.shuttle();
    next.hand.want(service);
    await running(next, service);
    await until("it is written down", async () => (await cluster.kept()).get(pod.metadata.uid!) === 2);
  }
  expect(cluster.lines.map(({ message }) => message)).toEqual([
    line!.message,
    expect.stringMatching(/^exited with code 3 after /),
  ]);
});

test("what is kept of a pod goes with it, and a pod that ends as it should is not told of", async () => {
  const cluster = await aCluster();
  const service = rig.service({ image: image() });
  const crashes = { image: service.image };
  rig.fake!.pods.script(crashes, { exit: { code: 1, afterMs: 5_000, times: 1 } });
  await using shuttle = await cluster.shuttle();
  shuttle.hand.want(service);
  await running(shuttle, service);
  await rig.fake!.advance(20_000);
  await until("it is written down", async () => (await cluster.kept()).size === 1);
  const told = cluster.lines.length;
  const polite = { ...service, env: { VERSION: "2" } };
  shuttle.hand.want(polite);
  const other = rig.service({ image: service.image });
  await until("its pod is replaced", async () => {
    await rig.fake!.advance(5_000);
    const pods = await rig.of(kinds.pod, service);
    return pods.length === 1 && !pods.some(({ metadata }) => metadata.deletionTimestamp);
  });
  shuttle.hand.want(other);
  await until("only what is there is kept", async () => {
    await rig.fake!.advance(5_000);
    const uids = new Set((await rig.api.list(kinds.pod, {})).items.map(({ metadata }) => metadata.uid));
    const kept = [...(await cluster.kept()).keys()];
    return kept.length > 0 && kept.every((uid) => uids.has(uid)) && cluster.lines.length > told;
  });
  expect(new Set(cluster.lines.map(({ message }) => message.split(" after")[0]))).toEqual(
    new Set(["exited with code 1"]),
  );
});

test("an app that wrote too much is told that its node put it out, whatever it made of being told to end", async () => {
  const cluster = await aCluster();
  await using shuttle = await cluster.shuttle();
  for (const code of [0, 137, null]) {
    const service = rig.service({ image: image() });
    shuttle.hand.want(service);
    await running(shuttle, service);
    const { name } = (await rig.theOnly(kinds.pod, service)).metadata;
    rig.fake!.pods.script({ image: service.image }, { readyAfterMs: 10_000 });
    const message = 'Usage of EmptyDir volume "tmp" exceeds the limit "1073741824". ';
    rig.fake!.pods.evict({ namespace: service.namespace, name }, message, code);
    const reason = /^killed: wrote more than 1 GiB to \/tmp, /;
    await until("the status says so", async () => {
      await rig.fake!.advance(100);
      return reason.test(shuttle.cluster.observe(keyOf(service))?.reason ?? "");
    });
    const line = await until("the log says so", () =>
      cluster.lines.find(({ instanceId }) => instanceId === name),
    );
    expect(line.message).toMatch(reason);
    await running(shuttle, service);
    expect(shuttle.cluster.observe(keyOf(service))?.reason).toBeNull();
  }
});
