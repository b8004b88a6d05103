import { describe, expect, test } from "vitest";
import { steppedClock } from "../../src/kubernetes/clock.ts";
import { openFakeKubernetes } from "../../src/kubernetes/open-fake-kubernetes.ts";
import type { Stored } from "../../src/kubernetes/model/object.ts";
import { asObjects, at } from "../../src/kubernetes/model/json.ts";
import { aDeployment, image, readiness } from "./sample-objects.ts";

const start = new Date("2026-11-29T08:00:00Z");
const open = () => openFakeKubernetes({ clock: steppedClock(start), bundles: [] });
const web = { apiVersion: "apps/v1", kind: "Deployment", name: "web", namespace: "default" };

const conditions = (object: Stored) =>
  Object.fromEntries(
    asObjects(at(object, "status", "conditions")).map(({ type, status, reason }) => [
      String(type),
      `${String(status)} ${String(reason)}`,
    ]),
  );
const images = (pods: readonly Stored[]) =>
  pods.map((pod) => asObjects(at(pod, "spec", "containers"))[0]?.["image"]);

describe("a deployment", () => {
  test("becomes a replica set and its pods, placed on different nodes, running and ready", async () => {
    await using fake = await open();
    fake.client.create(aDeployment("web"));
    await fake.settle();
    const deployment = fake.client.get(web);
    expect(deployment["status"]).toMatchObject({
      replicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
      observedGeneration: 1,
    });
    expect(conditions(deployment)).toEqual({
      Available: "True MinimumReplicasAvailable",
      Progressing: "True NewReplicaSetAvailable",
    });
    expect(deployment.metadata.annotations).toEqual({ "deployment.kubernetes.io/revision": "1" });
    const pods = fake.client.list("v1", "Pod", "default");
    expect(new Set(pods.map((pod) => at(pod, "spec", "nodeName"))).size).toBe(3);
    expect(pods.every((pod) => at(pod, "status", "phase") === "Running")).toBe(true);
  });

  test("rolls without ever being below or above what it allows", async () => {
    await using fake = await open();
    fake.pods.script({ labels: { app: "web" } }, { readyAfterMs: 5_000 });
    fake.client.create(
      aDeployment("web", { spec: { strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } } }),
    );
    await fake.advance(6_000);
    const seen: number[][] = [];
    fake.cluster.store.onEvent(({ resource }) => {
      if (resource !== "pods") return;
      const pods = fake.client
        .list("v1", "Pod", "default")
        .filter(({ metadata }) => !metadata.deletionTimestamp);
      const ready = pods.filter((pod) =>
        asObjects(at(pod, "status", "conditions")).some(
          ({ type, status }) => type === "Ready" && status === "True",
        ),
      );
      seen.push([pods.length, ready.length]);
    });
    fake.client.apply(aDeployment("web", { container: { image: image("2") } }), {
      force: true,
      fieldManager: "me",
    });
    await fake.advance(60_000);
    expect(Math.max(...seen.map(([all = 0]) => all))).toBe(4);
    expect(Math.min(...seen.map(([, ready = 0]) => ready))).toBe(3);
    expect(images(fake.client.list("v1", "Pod", "default"))).toEqual([image("2"), image("2"), image("2")]);
    expect(fake.client.get(web).metadata.annotations).toMatchObject({
      "deployment.kubernetes.io/revision": "2",
    });
  });

  test("says when it has made no progress for longer than it may", async () => {
    await using fake = await open();
    fake.pods.script({ image: image("2") }, { probeError: "HTTP probe failed with statuscode: 503" });
    fake.client.create(aDeployment("web", { spec: { progressDeadlineSeconds: 60 }, container: readiness }));
    await fake.advance(1_000);
    fake.client.apply(
      aDeployment("web", {
        spec: { progressDeadlineSeconds: 60 },
        container: { ...readiness, image: image("2") },
      }),
      { force: true, fieldManager: "me" },
    );
    await fake.advance(50_000);
    expect(conditions(fake.client.get(web))["Progressing"]).toBe("True ReplicaSetUpdated");
    await fake.advance(20_000);
    expect(conditions(fake.client.get(web))["Progressing"]).toBe("False ProgressDeadlineExceeded");
    const events = fake.client.list("v1", "Event", "default");
    expect(events.map((event) => event["message"])).toContain(
      "Readiness probe failed: HTTP probe failed with statuscode: 503",
    );
  });

  test("goes back to its old replica set when its old template comes back", async () => {
    await using fake = await open();
    fake.client.create(aDeployment("web"));
    await fake.settle();
    fake.client.apply(aDeployment("web", { container: { image: image("2") } }), {
      force: true,
      fieldManager: "me",
    });
    await fake.advance(1_000);
    fake.client.apply(aDeployment("web"), { force: true, fieldManager: "me" });
    await fake.advance(1_000);
    const sets = fake.client.list("apps/v1", "ReplicaSet", "default");
    expect(sets).toHaveLength(2);
    expect(fake.client.get(web).metadata.annotations).toEqual({ "deployment.kubernetes.io/revision": "3" });
    const [back] = sets.filter((set) => at(set, "spec", "replicas") === 3);
    expect(back?.metadata.annotations).toMatchObject({
      "deployment.kubernetes.io/revision": "3",
      "deployment.kubernetes.io/revision-history": "1",
    });
  });

  test("with Recreate starts nothing new before the old is gone", async () => {
    await using fake = await open();
    fake.pods.script({ labels: { app: "web" } }, { stopMs: 10_000 });
    fake.client.create(aDeployment("web", { spec: { replicas: 1, strategy: { type: "Recreate" } } }));
    await fake.settle();
    fake.client.apply(
      aDeployment("web", {
        spec: { replicas: 1, strategy: { type: "Recreate" } },
        container: { image: image("2") },
      }),
      { force: true, fieldManager: "me" },
    );
    await fake.advance(9_000);
    expect(images(fake.client.list("v1", "Pod", "default"))).toEqual([image("1")]);
    await fake.advance(2_000);
    expect(images(fake.client.list("v1", "Pod", "default"))).toEqual([image("2")]);
  });

  test("keeps as many old replica sets as it says", async () => {
    await using fake = await open();
    for (const tag of ["1", "2", "3", "4", "5"]) {
      fake.client.apply(
        aDeployment("web", { spec: { revisionHistoryLimit: 2 }, container: { image: image(tag) } }),
        { force: true, fieldManager: "me" },
      );
      await fake.advance(1_000);
    }
    const revisions = fake.client
      .list("apps/v1", "ReplicaSet", "default")
      .map(({ metadata }) => metadata.annotations?.["deployment.kubernetes.io/revision"]);
    expect(revisions.toSorted()).toEqual(["3", "4", "5"]);
  });

  test("tells why its pods cannot be made", async () => {
    await using fake = await open();
    fake.client.create({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: "safe", labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
    });
    await fake.settle();
    fake.client.create(aDeployment("web", { namespace: "safe" }));
    await fake.settle();
    const deployment = fake.client.get({ ...web, namespace: "safe" });
    expect(conditions(deployment)["ReplicaFailure"]).toBe("True FailedCreate");
    const [failure] = asObjects(at(deployment, "status", "conditions")).filter(
      ({ type }) => type === "ReplicaFailure",
    );
    expect(failure?.["message"]).toMatch(
      /^pods "web-[a-z0-9]+-[a-z0-9]{5}" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false/,
    );
  });
});
