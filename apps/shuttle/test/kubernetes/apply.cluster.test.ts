import type { DesiredService } from "@starform/contract/clusters";
import { until } from "@starform/std/retry";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { KubeError } from "@starform/kubernetes/kube-error";
import { keyOf } from "../../src/core/service-key.ts";
import { redeployed } from "../desired.ts";
import { kinds, openKubeRig, settled, type KubeRig } from "./cluster-rig.ts";
import { group } from "./samples.ts";

let rig: KubeRig;
beforeAll(async () => {
  rig = await openKubeRig();
});
beforeEach(() => rig.newCluster());
afterAll(() => rig[Symbol.asyncDispose]());

/** Without instances, so that nothing has to be waited for. */
const rich = () =>
  rig.service({
    replicas: 0,
    env: { LEVEL: "warn" },
    var_groups: [group()],
    volumes: [{ name: "uploads", mount_path: "/data", size_bytes: 2 ** 30 }],
  });

describe("applying", () => {
  test("makes all that a service needs, each after what it depends on, and writes nothing a second time", async () => {
    await using shuttle = await rig.shuttle();
    const service = shuttle.hand.want(rich());
    await until("its route is written", () => shuttle.writes.some((write) => / HTTPRoute /.test(write)));
    await settled(shuttle, service);
    const order = shuttle.writes.map((write) => write.split(" ")[1]);
    expect(order.indexOf("Namespace")).toBe(0);
    expect(order.indexOf("Secret")).toBeLessThan(order.indexOf("Deployment"));
    expect(new Set(shuttle.writes).size).toBe(shuttle.writes.length);
    expect(order.indexOf("Service")).toBeLessThan(order.indexOf("HTTPRoute"));

    const before = shuttle.writes.length;
    for (let pass = 0; pass < 3; pass++)
      await shuttle.cluster.apply(service, pass, new AbortController().signal);
    expect(shuttle.writes.length).toBe(before);
    expect(await shuttle.cluster.inventory()).toEqual([keyOf(service)]);
  });

  test("makes no route before the first instance was ready", async () => {
    await using shuttle = await rig.shuttle();
    // No node is as large.
    const resources = { cpu_millis: 500_000, memory_bytes: 2 ** 30 };
    const service = shuttle.hand.want(rig.service({ resources }));
    await settled(shuttle, service);
    expect((await rig.of(kinds.deployment, service)).length).toBe(1);
    expect(await rig.of(kinds.route, service)).toEqual([]);
    expect(shuttle.report(service)).toMatchObject({ phase: "starting", serving_deployment_id: null });
  });

  test("observes after a restart what may not be touched, and writes nothing for it", async ({ skip }) => {
    skip(!rig.fake, "needs pods that run");
    const service = rig.service();
    const running = { phase: "running", ready_replicas: 1, observed_version: 1 };
    {
      await using shuttle = await rig.shuttle();
      shuttle.hand.want(service);
      await until("it runs", () => shuttle.report(service)?.phase === "running");
    }
    await using shuttle = await rig.shuttle();
    await shuttle.hand[Symbol.asyncDispose]();
    expect(shuttle.report(service)).toBeUndefined();
    await shuttle.cluster.watch(service, 1);
    const deployment_id = service.provenance.deployment_id;
    await until("it is seen", () => shuttle.report(service)?.phase === "running");
    expect(shuttle.report(service)).toMatchObject({ ...running, serving_deployment_id: deployment_id });
    expect(shuttle.writes).toEqual([]);
  });

  test("writes nothing after a restart, when nothing has changed", async () => {
    const service = rich();
    {
      await using shuttle = await rig.shuttle();
      shuttle.hand.want(service);
      await settled(shuttle, service);
    }
    await using again = await rig.shuttle();
    again.hand.want(service);
    await until("it was looked at", () => again.report(service));
    await until("its caches are full", () => again.cluster.notReady?.() === undefined);
    for (let pass = 0; pass < 3; pass++)
      await again.cluster.apply(service, pass, new AbortController().signal);
    expect(again.writes).toEqual([]);
  });

  test("writes nothing after a restart of what services share, whichever of them has its turn first", async () => {
    const project = rig.project();
    const services = ["r1.example", "r2.example"].map((registry) =>
      rig.service({
        ...project,
        replicas: 0,
        image_credentials: { registry, username: "ada", password: "secret" },
      }),
    );
    {
      await using shuttle = await rig.shuttle();
      for (const service of services) shuttle.hand.want(service);
      for (const service of services) await settled(shuttle, service);
    }
    for (const service of services) {
      await using again = await rig.shuttle();
      again.cluster.wanted!(services);
      again.hand.want(service);
      await until("its caches are full", () => again.cluster.notReady?.() === undefined);
      await again.cluster.apply(service, 1, new AbortController().signal);
      expect(again.writes).toEqual([]);
    }
  });

  test("writes only what a change concerns", async () => {
    await using shuttle = await rig.shuttle();
    const project = rig.project();
    const [one, other] = [0, 1].map(() => rig.service({ ...project, replicas: 0 })) as [
      DesiredService,
      DesiredService,
    ];
    shuttle.hand.want(one);
    shuttle.hand.want(other);
    await settled(shuttle, one);
    await settled(shuttle, other);
    shuttle.writes.length = 0;
    shuttle.hand.want({ ...one, replicas: 5 });
    await until("it was written", async () => {
      const all = await rig.of(kinds.deployment, project);
      return all.some(({ spec }) => (spec as { replicas: number }).replicas === 5);
    });
    expect(shuttle.writes.map((write) => write.split(" ")[1])).toEqual(["Deployment"]);
  });

  test("takes what it finds half done to its end", async () => {
    const service = rich();
    const writes: string[] = [];
    const cut = (after: number) => ({
      ...rig.api,
      apply: async (...call: Parameters<typeof rig.api.apply>) => {
        if (writes.length > after)
          throw new KubeError(0, { reason: "Unreachable", message: "Shuttle was killed" });
        return rig.api.apply(...call);
      },
    });
    for (const after of [0, 1, 2, 3, 4]) {
      writes.length = 0;
      await using shuttle = await rig.shuttle({ api: cut(after), writes });
      shuttle.hand.want(service);
      await until("it came so far", () => writes.length > after);
    }
    await using shuttle = await rig.shuttle();
    shuttle.hand.want(service);
    await settled(shuttle, service);
    expect((await rig.of(kinds.deployment, service)).length).toBe(1);
    expect(
      (await rig.of(kinds.secret, service)).filter(({ metadata }) => metadata.name.startsWith("vg-")).length,
    ).toBe(1);
  });

  test("leaves a namespace alone that is not ours, says so, and goes on with the others", async () => {
    await using shuttle = await rig.shuttle();
    const [mine, theirs] = [rig.service({ replicas: 0 }), rig.service()];
    await rig.api.create({
      ...kinds.namespace,
      metadata: { name: theirs.namespace, labels: { team: "other" } },
    });
    shuttle.hand.want(theirs);
    shuttle.hand.want(mine);
    await until("the other is applied", async () => (await rig.of(kinds.deployment, mine)).length === 1);
    await until("it is told", () => shuttle.report(theirs)?.phase === "failed");
    expect(shuttle.report(theirs)?.reason).toMatch(/which Starform did not make and does not touch/);
    const live = await rig.api.get({ ...kinds.namespace, name: theirs.namespace });
    expect(live?.metadata.labels).toMatchObject({ team: "other" });
    expect(JSON.stringify(live?.metadata.labels)).not.toContain("starform");
    await rig.api.delete({ ...kinds.namespace, name: theirs.namespace });
  });

  test("tells what the cluster refuses for good, and does not ask again and again", async () => {
    let refusals = 0;
    const api = {
      ...rig.api,
      apply: async (...call: Parameters<typeof rig.api.apply>) => {
        if (call[0].kind !== "Deployment") return rig.api.apply(...call);
        refusals += 1;
        // A server of 1.36 answers a field it does not know with 500 and no reason.
        return rig.api.apply(
          { ...call[0], spec: { ...(call[0]["spec"] as object), unheard: 1 } },
          call[1],
          call[2],
        );
      },
    };
    await using shuttle = await rig.shuttle({ api });
    const service = shuttle.hand.want(rich());
    await until("it is told", () => shuttle.report(service)?.phase === "failed");
    expect(shuttle.report(service)?.reason).toMatch(
      /^the cluster refuses Deployment svc-.*not declared in schema/,
    );
    for (let pass = 0; pass < 5; pass++)
      await shuttle.cluster.apply(service, 1, new AbortController().signal).catch(() => undefined);
    expect(refusals).toBe(1);
  });

  test("tells a bad schedule instead of applying it", async () => {
    await using shuttle = await rig.shuttle();
    const service = shuttle.hand.want(
      rig.service({ service_type: "cron", hostname: null, ports: [], schedule: "every day" }),
    );
    await until("it is told", () => shuttle.report(service)?.reason?.includes("cannot be read"));
    expect(await rig.of(kinds.cronJob, service)).toEqual([]);
  });

  test("puts more than 16 hosts on several routes, and takes back those that are no longer needed", async () => {
    await using shuttle = await rig.shuttle();
    const hosts = Array.from({ length: 20 }, (_, at) => `h${at}.example.com`);
    const service = rig.service({ replicas: 0, hostname: "shop.example.com", hostnames: hosts });
    shuttle.hand.want(service);
    await until("there are two", async () => (await rig.of(kinds.route, service)).length === 2);
    shuttle.hand.want({ ...service, hostnames: hosts.slice(0, 3) });
    await until("there is one", async () => (await rig.of(kinds.route, service)).length === 1);
  });
});

describe("changes by hand", () => {
  const byHand = { fieldManager: "kubectl-edit", force: true };
  const deploymentOf = (service: { namespace: string }) => rig.theOnly(kinds.deployment, service);
  const imageOf = (object: Awaited<ReturnType<typeof deploymentOf>>) =>
    (object as unknown as { spec: { template: { spec: { containers: { image: string }[] } } } }).spec.template
      .spec.containers[0]!.image;

  test("are put back at once and told with who made them", async () => {
    await using shuttle = await rig.shuttle();
    const service = shuttle.hand.want(rich());
    await settled(shuttle, service);
    const { metadata } = await deploymentOf(service);
    await rig.api.apply(
      {
        ...kinds.deployment,
        metadata: { name: metadata.name, namespace: service.namespace },
        spec: { template: { spec: { containers: [{ name: "app", image: "evil.example.com/x:1" }] } } },
      },
      byHand,
    );
    await until("it is put back", async () => imageOf(await deploymentOf(service)) === service.image);
    const [drift] = (await until("it is told", () => shuttle.report(service)?.drift)) ?? [];
    expect(drift).toMatchObject({
      object: `Deployment/${metadata.name}`,
      what: "changed",
      by: "kubectl-edit",
    });
    expect(drift!.fields).toContain("spec.template.spec.containers.0.image");
    expect(Date.parse(drift!.at)).toBeGreaterThan(Date.now() - 60_000);
  });

  test("of a Secret are told without its body being read", async () => {
    const read: unknown[] = [];
    const api: typeof rig.api = {
      ...rig.api,
      async get(ref, signal) {
        const object = await rig.api.get(ref, signal);
        if (ref.kind === "Secret") read.push(object);
        return object;
      },
    };
    await using shuttle = await rig.shuttle({ api });
    const service = shuttle.hand.want(rich());
    await settled(shuttle, service);
    const [secret] = await rig.of(kinds.secret, service);
    const { name } = secret!.metadata;
    const labels = { "starform.io/tier": "by-hand" };
    await rig.api.apply(
      { ...kinds.secret, metadata: { name, namespace: service.namespace, labels } },
      byHand,
    );
    const told = await until("it is told", () =>
      shuttle.report(service)?.drift?.find(({ object }) => object === `Secret/${name}`),
    );
    expect(told).toMatchObject({ what: "changed", by: "kubectl-edit" });
    expect(read).toMatchObject([{ metadata: { name } }]);
    expect(read[0]).not.toHaveProperty("data");
  });

  test("to what Shuttle does not own stay", async () => {
    await using shuttle = await rig.shuttle();
    const service = shuttle.hand.want(rich());
    await settled(shuttle, service);
    const { metadata } = await deploymentOf(service);
    shuttle.writes.length = 0;
    await rig.api.apply(
      {
        ...kinds.deployment,
        metadata: { name: metadata.name, namespace: service.namespace, annotations: { note: "mine" } },
      },
      byHand,
    );
    await until(
      "it is there",
      async () => (await deploymentOf(service)).metadata.annotations?.["note"] === "mine",
    );
    shuttle.hand.want({ ...service, replicas: 3 });
    await until("it was applied again", () => shuttle.writes.length === 1);
    expect((await deploymentOf(service)).metadata.annotations?.["note"]).toBe("mine");
    expect(shuttle.report(service)?.drift).toBeUndefined();
  });

  test("that take the project off an object's labels are put back", async () => {
    await using shuttle = await rig.shuttle();
    const service = shuttle.hand.want(rich());
    await settled(shuttle, service);
    const quota = { apiVersion: "v1", kind: "ResourceQuota" };
    const { metadata } = await rig.theOnly(quota, service);
    const label = "starform.io/project-id";
    const ref = { ...quota, name: metadata.name, namespace: service.namespace };
    await rig.api.patch(ref, { metadata: { labels: { [label]: null } } });
    await until("it is put back", async () => {
      const now = await rig.theOnly(quota, service);
      return now.metadata.labels?.[label] === service.project_id;
    });
  });

  test("of a pod's labels take it from its service, and another one has its place", async ({ skip }) => {
    skip(!rig.fake, "needs pods that run");
    await using shuttle = await rig.shuttle();
    const service = shuttle.hand.want(rig.service());
    await shuttle.hand.reaches(service, "running");
    const { metadata } = await rig.theOnly(kinds.pod, service);
    const ref = { ...kinds.pod, name: metadata.name, namespace: service.namespace };
    await rig.api.patch(ref, { metadata: { labels: { "starform.io/environment": "elsewhere" } } });
    await until("another one runs", async () => (await shuttle.cluster.runningPods()).length === 2);
    expect(shuttle.report(service)).toMatchObject({ ready_replicas: 1, desired_replicas: 1 });
  });

  test("that delete something are made good, in a service and in its project", async () => {
    await using shuttle = await rig.shuttle();
    const service = shuttle.hand.want(rich());
    await settled(shuttle, service);
    const [policy] = await rig.of(kinds.policy, service);
    const address = await rig.theOnly(kinds.service, service);
    for (const [kind, { metadata }] of [
      [kinds.policy, policy!],
      [kinds.service, address],
    ] as const) {
      await rig.api.delete({ ...kind, name: metadata.name, namespace: service.namespace });
      await until("it is back", async () => {
        const now = await rig.api.get({ ...kind, name: metadata.name, namespace: service.namespace });
        return now && now.metadata.uid !== metadata.uid;
      });
    }
    const told = await until("both are told", () => {
      const drift = shuttle.report(service)?.drift ?? [];
      return drift.length >= 2 && drift;
    });
    expect(told.map(({ object, what, by }) => [object.split("/")[0], what, by])).toEqual(
      expect.arrayContaining([
        ["NetworkPolicy", "deleted", null],
        ["Service", "deleted", null],
      ]),
    );
  });
});

test("what Shuttle itself took away and makes again is no change by hand", async () => {
  await using shuttle = await rig.shuttle();
  const autoscaling = { min_replicas: 2, max_replicas: 9, cpu_percent: 70, memory_percent: null };
  const service = shuttle.hand.want(rig.service({ replicas: 2, autoscaling }));
  await rig.theOnly(kinds.scaler, service);
  shuttle.hand.want({ ...service, autoscaling: null });
  await until("there is no autoscaler", async () => (await rig.of(kinds.scaler, service)).length === 0);
  await settled(shuttle, service);
  shuttle.hand.want(service);
  await rig.theOnly(kinds.scaler, service);
  await settled(shuttle, service);
  expect(shuttle.report(service)?.drift).toBeUndefined();
});

describe("the number of replicas", () => {
  const replicasOf = async (service: { namespace: string }) =>
    ((await rig.theOnly(kinds.deployment, service))["spec"] as { replicas: number }).replicas;

  test("is handed to an autoscaler without a moment of one, and is the autoscaler's from then on", async () => {
    await using shuttle = await rig.shuttle();
    const service = shuttle.hand.want(rig.service({ replicas: 4 }));
    await settled(shuttle, service);
    const seen: number[] = [];
    const watching = new AbortController();
    const { resourceVersion } = await rig.api.list(kinds.deployment, { namespace: service.namespace });
    const watch = (async () => {
      const selection = { namespace: service.namespace, resourceVersion };
      for await (const { type, object } of rig.api.watch(kinds.deployment, selection, watching.signal))
        if (type !== "BOOKMARK") seen.push((object["spec"] as { replicas: number }).replicas);
    })().catch(() => undefined);
    const scaled = shuttle.hand.want({
      ...service,
      autoscaling: { min_replicas: 2, max_replicas: 9, cpu_percent: 70, memory_percent: null },
    });
    await rig.theOnly(kinds.scaler, service);
    expect(await replicasOf(service)).toBe(4);
    const { metadata } = await rig.theOnly(kinds.deployment, service);
    await rig.api.patch(
      { ...kinds.deployment, name: metadata.name, namespace: service.namespace, subresource: "scale" },
      { spec: { replicas: 7 } },
    );
    const next = shuttle.hand.want(redeployed(scaled, { env: { NEW: "1" } }));
    await until("it is deployed anew", async () =>
      JSON.stringify(await rig.theOnly(kinds.deployment, service)).includes(next.provenance.deployment_id),
    );
    expect(await replicasOf(service)).toBe(7);
    watching.abort();
    await watch;
    expect(seen).not.toContain(1);
  });

  test("is taken back from an autoscaler that is switched off", async () => {
    await using shuttle = await rig.shuttle();
    const autoscaling = { min_replicas: 2, max_replicas: 9, cpu_percent: 70, memory_percent: null };
    const service = shuttle.hand.want(rig.service({ replicas: 2, autoscaling }));
    await rig.theOnly(kinds.scaler, service);
    shuttle.hand.want({ ...service, autoscaling: null });
    await until("there is no autoscaler", async () => (await rig.of(kinds.scaler, service)).length === 0);
    expect(await replicasOf(service)).toBe(2);
  });
});

test("the cluster's own objects are applied once, with the load balancer's size", async () => {
  await using shuttle = await rig.shuttle();
  await until("its caches are full", () => shuttle.cluster.notReady?.() === undefined);
  const { signal } = new AbortController();
  await rig.gatewayNamespace();
  for (const units of [3, 3, 5]) await shuttle.cluster.configure!({ lb_size_units: units }, signal);
  const proxy = await rig.api.get({
    apiVersion: "gateway.envoyproxy.io/v1alpha1",
    kind: "EnvoyProxy",
    name: "starform",
    namespace: "envoy-gateway-system",
  });
  expect(JSON.stringify(proxy)).toContain(`"service.beta.kubernetes.io/do-loadbalancer-size-unit":"5"`);
  expect(shuttle.writes.map((write) => write.split(" ")[1])).toEqual([
    "EnvoyProxy",
    "Gateway",
    "ClientTrafficPolicy",
    "BackendTrafficPolicy",
    "EnvoyProxy",
  ]);
});
