import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { steppedClock } from "../../src/kubernetes/clock.ts";
import { asObjects, at, type JsonObject } from "../../src/kubernetes/model/json.ts";
import type { Stored } from "../../src/kubernetes/model/object.ts";
import { openFakeKubernetes, type FakeKubernetes } from "../../src/kubernetes/open-fake-kubernetes.ts";
import { callerOf } from "./caller.ts";
import { aDeployment, image, readiness } from "./sample-objects.ts";

let fake: FakeKubernetes;
beforeEach(async () => {
  fake = await openFakeKubernetes({ clock: steppedClock(new Date("2026-11-29T08:00:00Z")), bundles: [] });
});
afterEach(() => fake[Symbol.asyncDispose]());

const pods = (): readonly Stored[] => fake.client.list("v1", "Pod", "default");
const status = (): JsonObject => asObjects(at(pods()[0], "status", "containerStatuses"))[0] ?? {};
const events = () => fake.client.list("v1", "Event", "default").map((event) => String(event["message"]));
const one = (container: JsonObject = {}) =>
  fake.client.create(aDeployment("web", { spec: { replicas: 1 }, container }));
const log = async (query: string) =>
  (await callerOf(fake.url).get(`/api/v1/namespaces/default/pods/${pods()[0]?.metadata.name}/log${query}`))
    .body["text"];

describe("a pod", () => {
  test("that crashes is started again later and later, and shows its last words", async () => {
    fake.pods.script(
      { image: image("1") },
      { exit: { code: 3, afterMs: 1_000 }, log: ["starting", "no DATABASE_URL"] },
    );
    one({ terminationMessagePolicy: "FallbackToLogsOnError" });
    await fake.advance(1_500);
    expect(status()).toMatchObject({
      state: { terminated: { exitCode: 3, reason: "Error" } },
      restartCount: 0,
    });
    await fake.advance(3_000);
    expect(status()).toMatchObject({
      state: { waiting: { reason: "CrashLoopBackOff" } },
      lastState: { terminated: { exitCode: 3, message: "starting\nno DATABASE_URL\n" } },
      restartCount: 1,
      ready: false,
    });
    expect(String(at(status(), "state", "waiting", "message"))).toMatch(
      /^back-off 10s restarting failed container=main pod=web-/,
    );
    expect(await log("?previous=true&tailLines=1")).toBe("no DATABASE_URL\n");
    await fake.advance(60_000);
    expect(status()["restartCount"]).toBe(3);
  });

  test("that runs out of memory says so", async () => {
    fake.pods.script(
      { image: image("1") },
      { exit: { code: 137, reason: "OOMKilled", afterMs: 1_000, times: 1 } },
    );
    one();
    await fake.advance(3_000);
    expect(status()).toMatchObject({
      lastState: { terminated: { exitCode: 137, reason: "OOMKilled" } },
      restartCount: 1,
      ready: true,
    });
  });

  test("whose image cannot be pulled waits and tries again until it can", async () => {
    const mend = fake.pods.script({ image: image("1") }, { pullError: "not found" });
    one();
    await fake.settle();
    expect(status()).toMatchObject({ state: { waiting: { reason: "ErrImagePull" } } });
    await fake.advance(2_000);
    expect(status()).toMatchObject({ state: { waiting: { reason: "ImagePullBackOff" } } });
    expect(events()).toContain(
      `Failed to pull image "${image("1")}": failed to pull and unpack image "${image("1")}": not found`,
    );
    mend();
    await fake.advance(30_000);
    expect(status()["ready"]).toBe(true);
  });

  test("whose probe fails is never ready, and a startup probe that fails too long ends it", async () => {
    fake.pods.script({ image: image("1") }, { probeError: "connection refused" });
    one({
      ...readiness,
      startupProbe: { httpGet: { path: "/", port: 8080 }, periodSeconds: 1, failureThreshold: 5 },
    });
    await fake.advance(4_000);
    expect(status()).toMatchObject({ ready: false, started: false, restartCount: 0 });
    expect(events()).toContain("Startup probe failed: connection refused");
    await fake.advance(60_000);
    expect(events()).toContain("Container main failed startup probe, will be restarted");
    expect(Number(status()["restartCount"])).toBeGreaterThan(0);
  });

  test("waits for a ConfigMap that is not there yet", async () => {
    one({ envFrom: [{ configMapRef: { name: "settings" } }] });
    await fake.settle();
    expect(status()).toMatchObject({
      state: { waiting: { reason: "CreateContainerConfigError", message: 'configmap "settings" not found' } },
    });
    fake.client.create({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "settings" } });
    await fake.advance(2_000);
    expect(status()["ready"]).toBe(true);
  });

  test("that fits on no node says why, and is placed when there is room", async () => {
    one({ resources: { requests: { cpu: "5" } } });
    await fake.settle();
    const [unscheduled] = asObjects(at(pods()[0], "status", "conditions"));
    expect(unscheduled).toMatchObject({ type: "PodScheduled", status: "False", reason: "Unschedulable" });
    expect(String(unscheduled?.["message"])).toMatch(/^0\/3 nodes are available: 3 Insufficient cpu\./);
    fake.client.patch(
      { apiVersion: "v1", kind: "Node", name: "node-1" },
      { type: "merge", body: { status: { allocatable: { cpu: "8" } } } },
      { subresource: "status" },
    );
    await fake.settle();
    expect(at(pods()[0], "spec", "nodeName")).toBe("node-1");
  });

  test("gets its time of grace, with the sleep before it, and is killed after it", async () => {
    fake.pods.script({ image: image("1") }, { stopMs: 3_000 });
    one({ lifecycle: { preStop: { sleep: { seconds: 10 } } } });
    await fake.settle();
    const [pod] = pods();
    fake.client.remove({ apiVersion: "apps/v1", kind: "Deployment", name: "web" });
    await fake.advance(12_000);
    expect(pods().map(({ metadata }) => metadata.name)).toEqual([pod?.metadata.name]);
    await fake.advance(2_000);
    expect(pods()).toEqual([]);
  });

  test("that its node throws out is replaced", async () => {
    one();
    await fake.settle();
    const name = pods()[0]?.metadata.name ?? "";
    fake.pods.evict({ namespace: "default", name });
    await fake.settle();
    expect(
      pods()
        .map((pod) => at(pod, "status", "reason"))
        .toSorted(),
    ).toEqual(["Evicted", undefined]);
  });

  test("on a node that fails is not ready, and is replaced after five minutes", async () => {
    one();
    await fake.settle();
    fake.nodes.fail(String(at(pods()[0], "spec", "nodeName")));
    await fake.settle();
    const ready = (pod: Stored) =>
      asObjects(at(pod, "status", "conditions")).find(({ type }) => type === "Ready")?.["status"];
    expect(pods().map(ready)).toEqual(["False"]);
    await fake.advance(301_000);
    expect(pods().map(ready).toSorted()).toEqual(["False", "True"]);
  });
});
