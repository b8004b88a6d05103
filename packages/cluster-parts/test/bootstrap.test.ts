import { digestOf } from "@starform/std/canonical-json";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import type { BootstrapEvent } from "../src/bootstrap.ts";
import { steps } from "../src/steps.ts";
import { openRig, stateOf, type Rig } from "./installed.ts";
import { endpoints, parameters } from "./samples.ts";

const versionsOf = (rig: Rig) => [...stateOf(rig)].map(([name, { version }]) => `${name}@${version}`);
const wantsOf = (rig: Rig) =>
  [...stateOf(rig)].map(([name, { wants }]) => `${name} ${withoutAddresses(wants)}`).toSorted();
/** The server's own choices differ from one cluster to the next. */
const withoutAddresses = (wants: string): string =>
  digestOf(wants.replaceAll(/10\.96\.\d+\.\d+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "x"));

describe("a bootstrap", () => {
  test("brings everything in order, each step ready before the next, and again changes nothing", async () => {
    await using rig = await openRig();
    const events: BootstrapEvent[] = [];
    expect(await rig.bootstrap({}, { events })).toBeGreaterThan(70);
    const ready = events.filter(({ state }) => state === "ready").map(({ step }) => step);
    expect(ready).toEqual(steps.map(({ name }) => name));
    const beginnings = events
      .filter(({ state }) => state === "applying")
      .map(({ step }) => events.findIndex((e) => e.step === step));
    expect(beginnings).toEqual(beginnings.toSorted((a, b) => a - b));
    expect(JSON.stringify(events)).not.toMatch(/token-0123456789|sfc_0123456789|glc_/);

    const before = versionsOf(rig);
    expect(await rig.bootstrap()).toBe(0);
    expect(versionsOf(rig)).toEqual(before);
  });

  test("brings another image to a cluster that has it, though a Job cannot be changed", async () => {
    await using rig = await openRig();
    await rig.bootstrap();
    const images = { "envoy-gateway": "mirror.example/gateway:v1.9.0" };
    expect(await rig.bootstrap({ images })).toBeGreaterThan(0);
    const controller = stateOf(rig).get("Deployment/envoy-gateway-system/envoy-gateway");
    expect(controller?.wants).toContain(images["envoy-gateway"]);
  });

  test("says how to begin a Job anew that cannot do its work with the image that it has", async () => {
    await using rig = await openRig();
    rig.fake.pods.script({ container: "envoy-gateway-certgen" }, { pullError: "denied" });
    await expect(rig.bootstrap({}, { stepTimeoutMs: 5_000 })).rejects.toThrow(/has not ended yet/);
    const images = { "envoy-gateway": "mirror.example/gateway:v1.9.0" };
    await expect(rig.bootstrap({ images })).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringMatching(
        /a Job cannot be changed: kubectl -n envoy-gateway-system delete job envoy-gateway-certgen-\S+, then start again$/,
      ) as string,
    });
  });

  test("leaves out what a laptop has no use for, and says why", async () => {
    await using rig = await openRig();
    const events: BootstrapEvent[] = [];
    await rig.bootstrap({ endpoints: undefined }, { events });
    const leftOut = events.filter(({ state }) => state === "left_out");
    expect(leftOut.map(({ step }) => step)).toEqual(["node-agents", "vmagent", "alloy"]);
    for (const { why } of leftOut) expect(why).toMatch(/given/);
  });

  test("brings a new token to the agents that read it once, and touches nothing else", async () => {
    await using rig = await openRig();
    await rig.bootstrap();
    const before = stateOf(rig);
    const other = { ...endpoints, logs: { ...endpoints.logs, token: "another-token-9876" } };
    expect(await rig.bootstrap({ endpoints: other, token: "sfc_another-token" })).toBe(4);
    const changed = [...stateOf(rig)]
      .filter(([name, { wants }]) => before.get(name)?.wants !== wants)
      .map(([name]) => name);
    expect(changed.toSorted()).toEqual([
      "DaemonSet/starform-nodes/fluent-bit",
      "Secret/starform-nodes/logs-token",
      "Secret/starform-system/shuttle-logs-token",
      "Secret/starform-system/shuttle-token",
    ]);
  });

  test("puts back what somebody changed or deleted of ours", async () => {
    await using rig = await openRig();
    await rig.bootstrap();
    const before = wantsOf(rig);
    const shuttle = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      namespace: "starform-system",
      name: "shuttle",
    };
    await rig.kube.patch(shuttle, { spec: { replicas: 0 } });
    await rig.kube.delete({
      apiVersion: "v1",
      kind: "Service",
      namespace: "starform-system",
      name: "kube-state-metrics",
    });
    expect(await rig.bootstrap()).toBe(2);
    expect(wantsOf(rig)).toEqual(before);
  });
});

describe("stopped anywhere, a bootstrap goes on where the cluster is", () => {
  let writes = 0;
  let wanted: readonly string[] = [];
  beforeAll(async () => {
    await using whole = await openRig();
    writes = await whole.bootstrap();
    wanted = wantsOf(whole);
  });

  test("after each step in turn", async () => {
    await using rig = await openRig();
    for (const { name } of steps) {
      const stop = new AbortController();
      const events: BootstrapEvent[] = [];
      const push = (event: BootstrapEvent): number => {
        if (event.step === name && event.state === "ready") stop.abort();
        return 0;
      };
      Object.assign(events, { push });
      await rig.bootstrap({}, { events, signal: stop.signal }).catch(() => undefined);
      expect(stop.signal.aborted).toBe(true);
    }
    await rig.bootstrap();
    expect(wantsOf(rig)).toEqual(wanted);
  });

  test("in the middle of any write, before or after it took hold", async () => {
    const moment = fc.record({
      write: fc.integer({ min: 0, max: writes - 1 }),
      cut: fc.constantFrom("before", "after"),
    });
    await fc.assert(
      fc.asyncProperty(moment, async ({ write, cut }) => {
        await using rig = await openRig();
        const stop = new AbortController();
        rig.fake.faults.add({ verb: "patch" }, { cut }, { skip: write, times: 1 });
        const patience = rig.patience.pause;
        Object.assign(rig.patience, {
          pause: async () => {
            // The program dies with the connection.
            if (rig.fake.requests.count({ verb: "patch" }) >= write) stop.abort();
            await patience();
          },
        });
        await rig.bootstrap({}, { signal: stop.signal }).catch(() => undefined);
        rig.fake.faults.clear();
        await rig.bootstrap();
        expect(wantsOf(rig)).toEqual(wanted);
      }),
      { numRuns: 4 },
    );
  });

  test("and waits out an API server that is overloaded, away, or in doubt", async () => {
    await using rig = await openRig();
    for (const fault of [
      { status: 429, reason: "TooManyRequests", retryAfterSeconds: 1 },
      { status: 503, reason: "ServiceUnavailable" },
      { status: 500, reason: "InternalError", message: "etcdserver: request timed out" },
      { cut: "before" },
      { cut: "after" },
    ] as const)
      rig.fake.faults.add({ verb: "patch,get" }, fault, { skip: 7, times: 2 });
    await rig.bootstrap();
    rig.fake.faults.clear();
    expect(await rig.bootstrap()).toBe(0);
  });
});

describe("what is somebody else's", () => {
  const foreign = [
    {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: "envoy-gateway-system", labels: { team: "edge" } },
    },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRole",
      metadata: { name: "starform-vmagent" },
      rules: [],
    },
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "vmagent", namespace: "starform-system" },
      data: { mine: "yes" },
    },
  ];
  test.each(foreign)("in the way is refused and stays as it is: $kind $metadata.name", async (object) => {
    await using rig = await openRig();
    if ("namespace" in object.metadata) await rig.bootstrap({ endpoints: undefined });
    rig.fake.client.create(object, { fieldManager: "helm" });
    const [name] = [
      `${object.kind}/${"namespace" in object.metadata ? object.metadata.namespace : ""}/${object.metadata.name}`,
    ];
    const before = stateOf(rig).get(name);
    await expect(rig.bootstrap()).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringMatching(
        /is there already and is not Starform's \(made by helm\)\. Nothing was changed/,
      ) as string,
    });
    expect(stateOf(rig).get(name)).toEqual(before);
  });

  test("may be handed over by a label", async () => {
    await using rig = await openRig();
    const labels = { "starform.io/managed-by": "bootstrap" };
    rig.fake.client.create({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: "starform-nodes", labels },
    });
    await rig.bootstrap();
    expect(stateOf(rig).get("Namespace//starform-nodes")?.wants).toContain("privileged");
  });

  test("and does the same work is used: metrics, and the kinds of the Gateway API", async () => {
    await using rig = await openRig({ bundles: ["gateway-api"] });
    rig.fake.client.create(
      {
        apiVersion: "apiregistration.k8s.io/v1",
        kind: "APIService",
        metadata: { name: "v1beta1.metrics.k8s.io" },
        spec: {
          group: "metrics.k8s.io",
          version: "v1beta1",
          groupPriorityMinimum: 100,
          versionPriority: 100,
          service: { name: "metrics-server", namespace: "kube-system" },
        },
      },
      { fieldManager: "deploy@k3s" },
    );
    await rig.fake.settle();
    const before = versionsOf(rig).filter((name) => /gateway\.networking|metrics\.k8s/.test(name));
    const events: BootstrapEvent[] = [];
    await rig.bootstrap({}, { events });
    const leftOut = events.filter(({ state }) => state === "left_out");
    expect(leftOut.map(({ step }) => step)).toEqual(["gateway-api", "metrics-server"]);
    expect(leftOut[1]?.why).toContain("deploy@k3s");
    expect(versionsOf(rig).filter((name) => /gateway\.networking|metrics\.k8s/.test(name))).toEqual(before);
  });

  test("and cannot do the work is refused before anything is changed", async () => {
    await using rig = await openRig({ bundles: ["gateway-api"] });
    await rig.kube.delete({
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      name: "httproutes.gateway.networking.k8s.io",
    });
    await rig.fake.settle();
    await expect(rig.bootstrap()).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining("HTTPRoute") as string,
    });
    expect([...stateOf(rig).keys()].filter((name) => name.includes("starform"))).toEqual([]);
  });

  test("like another cluster of ours, is told", async () => {
    await using rig = await openRig();
    await rig.bootstrap();
    const other = "0198c0de-0000-7000-8000-0000000000c2";
    await expect(rig.bootstrap({ clusterId: other })).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining(`cluster ${parameters().clusterId} already`) as string,
    });
  });
});

describe("what does not become ready is told with its reason", () => {
  test("an image that cannot be pulled", async () => {
    await using rig = await openRig();
    rig.fake.pods.script(
      { namespace: "starform-system", container: "shuttle" },
      { pullError: "denied: no such repository" },
    );
    const events: BootstrapEvent[] = [];
    await expect(rig.bootstrap({}, { events, stepTimeoutMs: 60_000 })).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(
        /not ready after 1 min.*Deployment starform-system\/shuttle.*(ErrImagePull|ImagePullBackOff).*denied/,
      ) as string,
    });
    expect(
      events
        .filter(({ state, step }) => state === "waiting" && step === "shuttle")
        .map(({ why }) => why)
        .join(),
    ).toContain("denied");
  });

  test("a program that ends", async () => {
    await using rig = await openRig();
    rig.fake.pods.script(
      { container: "shuttle" },
      { exit: { code: 1 }, log: ["the configuration is wrong"] },
    );
    await expect(rig.bootstrap({}, { stepTimeoutMs: 60_000 })).rejects.toMatchObject({
      message: expect.stringMatching(/container shuttle ends with code 1/) as string,
    });
  });

  test("a Job that failed, at once", async () => {
    await using rig = await openRig();
    rig.fake.pods.script({ container: "envoy-gateway-certgen" }, { exit: { code: 1 } });
    await expect(rig.bootstrap({}, { stepTimeoutMs: 3_600_000 })).rejects.toMatchObject({
      message: expect.stringMatching(
        /Job envoy-gateway-system\/envoy-gateway-certgen-v1-9-0 failed .*delete the Job and start again/,
      ) as string,
    });
  });

  test("a kubeconfig that may not do it, before anything is changed", async () => {
    await using rig = await openRig({
      tokens: { viewer: { name: "viewer", groups: ["system:authenticated"] } },
    });
    const { openKubeApi } = await import("@starform/kubernetes/open-kube-api");
    const { preflight } = await import("../src/preflight.ts");
    const { facts } = await import("./samples.ts");
    await using kube = await openKubeApi({ kubeconfig: rig.fake.kubeconfig("viewer") });
    await expect(preflight(kube, facts())).rejects.toMatchObject({
      code: "forbidden",
      message: expect.stringContaining("create namespaces") as string,
    });
    await expect(preflight(rig.kube, facts({ kubernetesVersion: "v1.30.9" }))).rejects.toMatchObject({
      code: "conflict",
    });
  });
});
