import { describe, expect, test } from "vitest";
import { inventoryOf } from "../src/inventory.ts";
import type { RemovalEvent } from "../src/removal-calls.ts";
import { removeCluster } from "../src/remove.ts";
import { openRig, stateOf, type Rig } from "./installed.ts";

const labels = { "starform.io/managed-by": "shuttle", "starform.io/cluster-id": "c1" };

/** What Shuttle would have made: two projects, one with a volume, and the shared Gateway; and somebody else's besides. */
async function furnish(rig: Rig): Promise<void> {
  const make = (object: object) => rig.fake.client.create(object as never, { fieldManager: "shuttle" });
  const of = (namespace: string, name: string) => ({ name, namespace, labels });
  for (const space of ["proj-shop", "proj-blog"]) {
    make({ apiVersion: "v1", kind: "Namespace", metadata: { name: space, labels } });
    make({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: of(space, "svc-1"),
      spec: {
        selector: { matchLabels: { app: "svc-1" } },
        template: {
          metadata: { labels: { app: "svc-1" } },
          spec: { containers: [{ name: "app", image: "registry.example/app:1" }] },
        },
      },
    });
    make({
      apiVersion: "v1",
      kind: "Service",
      metadata: of(space, "svc-1"),
      spec: { ports: [{ port: 80 }] },
    });
    make({ apiVersion: "v1", kind: "Secret", metadata: of(space, "vg-1") });
  }
  make({
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: of("proj-shop", "svc-1-data"),
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
  });
  make({
    apiVersion: "gateway.envoyproxy.io/v1alpha1",
    kind: "EnvoyProxy",
    metadata: of("envoy-gateway-system", "starform"),
    spec: {},
  });
  make({
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "Gateway",
    metadata: of("envoy-gateway-system", "starform"),
    spec: { gatewayClassName: "starform", listeners: [{ name: "http", port: 80, protocol: "HTTP" }] },
  });
  rig.fake.client.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: "theirs" } });
  rig.fake.client.create({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "theirs", namespace: "theirs" },
  });
  await rig.fake.settle();
}

const remove = (rig: Rig, deletesVolumes: boolean, events: RemovalEvent[] = [], signal?: AbortSignal) =>
  removeCluster(
    {
      kube: rig.kube,
      patience: rig.patience,
      stageTimeoutMs: 120_000,
      tell: (event) => void events.push(event),
    },
    { deletesVolumes },
    signal,
  );
const names = (rig: Rig) =>
  [...stateOf(rig).keys()].filter((name) => !/\/(kube-|default)|ConfigMap\/.*kube-root-ca/.test(name));
const ofTheCluster = (rig: Rig) =>
  names(rig).filter(
    (name) =>
      !/^(ServiceAccount|Service|StorageClass)\/(default|kube)|cluster-admin|ServiceAccount\/(theirs|proj-shop)\/default/.test(
        name,
      ),
  );

describe("a removal", () => {
  test("takes away what bootstrap and Shuttle made, keeps volumes and what is somebody else's", async () => {
    await using rig = await openRig();
    const before = ofTheCluster(rig);
    await rig.bootstrap();
    await furnish(rig);
    expect(await inventoryOf(rig.kube)).toEqual({ projects: 2, services: 2, volumes: 1, parts: 3 });
    const events: RemovalEvent[] = [];
    await remove(rig, false, events);
    expect(ofTheCluster(rig).toSorted()).toEqual(
      [
        ...before,
        "ConfigMap/theirs/theirs",
        "Namespace//proj-shop",
        "Namespace//theirs",
        "PersistentVolumeClaim/proj-shop/svc-1-data",
      ].toSorted(),
    );
    expect(events.find(({ state }) => state === "kept")).toMatchObject({
      count: 1,
      why: "volumes in proj-shop",
    });
    expect(events.filter(({ state }) => state === "done").map(({ stage }) => stage)).toEqual([
      "Shuttle",
      "the projects",
      "the shared Gateway and its load balancer",
      "the agents and controllers",
      "the kinds",
      "the namespaces",
    ]);
  });

  test("takes the volumes too where it is told to, and what it left before", async () => {
    await using rig = await openRig();
    const before = ofTheCluster(rig);
    await rig.bootstrap();
    await furnish(rig);
    await remove(rig, false);
    await remove(rig, true);
    expect(ofTheCluster(rig).toSorted()).toEqual(
      [...before, "ConfigMap/theirs/theirs", "Namespace//theirs"].toSorted(),
    );
    const again: RemovalEvent[] = [];
    await remove(rig, true, again);
    expect(again.filter(({ state }) => state === "done").map(({ count }) => count)).toEqual([
      0, 0, 0, 0, 0, 0,
    ]);
  });

  test("keeps a project's namespace in which somebody else has something, and only that of it", async () => {
    for (const deletesVolumes of [false, true]) {
      await using rig = await openRig();
      await rig.bootstrap();
      await furnish(rig);
      rig.fake.client.create({
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        metadata: { name: "backups", namespace: "proj-blog" },
        spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
      });
      const events: RemovalEvent[] = [];
      await remove(rig, deletesVolumes, events);
      await rig.fake.settle();
      const left = names(rig).filter((name) => /proj-/.test(name) && !name.endsWith("/default"));
      expect(left.toSorted()).toEqual([
        "Namespace//proj-blog",
        ...(deletesVolumes ? [] : ["Namespace//proj-shop"]),
        "PersistentVolumeClaim/proj-blog/backups",
        ...(deletesVolumes ? [] : ["PersistentVolumeClaim/proj-shop/svc-1-data"]),
      ]);
      expect(events.filter(({ state }) => state === "kept").map(({ why }) => why)).toContain(
        "namespace proj-blog: PersistentVolumeClaim proj-blog/backups is somebody else's",
      );
    }
  });

  test("keeps the kinds of which somebody else has objects", async () => {
    await using rig = await openRig();
    await rig.bootstrap();
    rig.fake.client.create({
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "Gateway",
      metadata: { name: "theirs", namespace: "default" },
      spec: { gatewayClassName: "other", listeners: [{ name: "http", port: 80, protocol: "HTTP" }] },
    });
    const events: RemovalEvent[] = [];
    await remove(rig, true, events);
    expect(names(rig).filter((name) => name.startsWith("CustomResource"))).toEqual([
      "CustomResourceDefinition//gateways.gateway.networking.k8s.io",
    ]);
    expect(events.find(({ state }) => state === "kept")?.why).toContain(
      "Gateway default/theirs is somebody else's",
    );
  });

  test("stopped anywhere goes on from there, and a bootstrap afterwards is as the first", async () => {
    await using rig = await openRig();
    const changed = await rig.bootstrap();
    await furnish(rig);
    for (const stage of [
      "Shuttle",
      "the projects",
      "the shared Gateway and its load balancer",
      "the kinds",
    ]) {
      const stop = new AbortController();
      const events: RemovalEvent[] = [];
      const push = (event: RemovalEvent): number => {
        if (event.stage === stage && event.state === "done") stop.abort();
        return 0;
      };
      Object.assign(events, { push });
      await remove(rig, true, events, stop.signal).catch(() => undefined);
    }
    await remove(rig, true);
    expect(names(rig).filter((name) => /starform|envoy|proj-/.test(name))).toEqual([]);
    expect(await rig.bootstrap()).toBe(changed);
  });

  test("begins with Shuttle, or it would put everything back", async () => {
    await using rig = await openRig();
    await rig.bootstrap();
    await furnish(rig);
    rig.fake.requests.clear();
    await remove(rig, false);
    const [first] = rig.fake.requests.list({ verb: "delete" });
    expect(first?.attempt).toMatchObject({ resource: "deployments", name: "shuttle" });
  });

  test("says what holds an object that does not go", async () => {
    await using rig = await openRig();
    await rig.bootstrap();
    await furnish(rig);
    await rig.kube.patch(
      {
        apiVersion: "gateway.networking.k8s.io/v1",
        kind: "Gateway",
        namespace: "envoy-gateway-system",
        name: "starform",
      },
      { metadata: { finalizers: ["example.com/backup"] } },
    );
    await expect(remove(rig, true)).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(
        /Gateway envoy-gateway-system\/starform is still there after 2 min.*example\.com\/backup/,
      ) as string,
    });
  });
});
