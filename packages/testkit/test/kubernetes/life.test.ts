import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { steppedClock } from "../../src/kubernetes/clock.ts";
import { asObjects, at } from "../../src/kubernetes/model/json.ts";
import { openFakeKubernetes, type FakeKubernetes } from "../../src/kubernetes/open-fake-kubernetes.ts";
import { callerOf } from "./caller.ts";
import { aDeployment, aNamespace, aService } from "./sample-objects.ts";

let fake: FakeKubernetes;
beforeEach(async () => {
  fake = await openFakeKubernetes({
    clock: steppedClock(new Date("2026-11-29T08:00:00Z")),
    tokens: { ada: { name: "ada", groups: [] } },
  });
});
afterEach(() => fake[Symbol.asyncDispose]());

const list = (apiVersion: string, kind: string, namespace = "default") =>
  fake.client.list(apiVersion, kind, namespace);
const web = { apiVersion: "apps/v1", kind: "Deployment", name: "web", namespace: "default" };

describe("deleting a deployment", () => {
  beforeEach(async () => {
    fake.client.create(aDeployment("web"));
    await fake.settle();
  });
  const left = () => [
    list("apps/v1", "Deployment").length,
    list("apps/v1", "ReplicaSet").length,
    list("v1", "Pod").length,
  ];

  test("in the background takes what it made along", async () => {
    fake.client.remove(web, { propagationPolicy: "Background" });
    expect(left()[0]).toBe(0);
    await fake.settle();
    expect(left()).toEqual([0, 0, 0]);
  });

  test("in the foreground stays until what it made is gone", async () => {
    fake.pods.script({ labels: { app: "web" } }, { stopMs: 5_000 });
    fake.client.remove(web, { propagationPolicy: "Foreground" });
    await fake.settle();
    expect(left()).toEqual([1, 1, 3]);
    await fake.advance(6_000);
    expect(left()).toEqual([0, 0, 0]);
  });

  test("and orphaning what it made leaves that, to be taken in again", async () => {
    fake.client.remove(web, { propagationPolicy: "Orphan" });
    await fake.settle();
    expect(left()).toEqual([0, 1, 3]);
    const names = list("v1", "Pod").map(({ metadata }) => metadata.name);
    expect(list("apps/v1", "ReplicaSet")[0]?.metadata.ownerReferences).toBeUndefined();
    expect(list("v1", "Pod").map(({ metadata }) => metadata.name)).toEqual(names);
  });
});

test("a namespace that goes is emptied first, and waits for finalizers", async () => {
  fake.client.create(aNamespace("gone"));
  await fake.settle();
  fake.client.create(aDeployment("web", { namespace: "gone" }));
  fake.client.create({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "held", namespace: "gone", finalizers: ["example.com/hold"] },
  });
  await fake.settle();
  fake.client.remove({ apiVersion: "v1", kind: "Namespace", name: "gone" });
  await fake.advance(1_000);
  const namespace = fake.client.get({ apiVersion: "v1", kind: "Namespace", name: "gone" });
  expect(namespace["status"]).toMatchObject({ phase: "Terminating" });
  const remaining = asObjects(at(namespace, "status", "conditions")).find(
    ({ type }) => type === "NamespaceFinalizersRemaining",
  );
  expect(remaining?.["message"]).toBe(
    "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances",
  );
  fake.client.patch(
    { apiVersion: "v1", kind: "ConfigMap", name: "held", namespace: "gone" },
    { type: "merge", body: { metadata: { finalizers: null } } },
  );
  await fake.advance(1_000);
  expect(fake.cluster.store.get("namespaces", undefined, "gone")).toBeUndefined();
});

test("a quota counts what is there, refuses what is too much, and lets in again when something goes", async () => {
  fake.client.create({
    apiVersion: "v1",
    kind: "ResourceQuota",
    metadata: { name: "q", namespace: "default" },
    spec: { hard: { pods: "2", "requests.cpu": "1" } },
  });
  await fake.settle();
  fake.client.create(aDeployment("web", { container: { resources: { requests: { cpu: "400m" } } } }));
  await fake.settle();
  const quota = () =>
    fake.client.get({ apiVersion: "v1", kind: "ResourceQuota", name: "q", namespace: "default" })["status"];
  expect(quota()).toMatchObject({ used: { pods: "2", "requests.cpu": "800m" } });
  const failure = asObjects(at(fake.client.get(web), "status", "conditions")).find(
    ({ type }) => type === "ReplicaFailure",
  );
  expect(failure?.["message"]).toMatch(
    /exceeded quota: q, requested: pods=1,requests.cpu=400m, used: pods=2,requests.cpu=800m, limited: pods=2,requests.cpu=1$/,
  );
  fake.client.remove(web);
  await fake.advance(1_000);
  expect(quota()).toMatchObject({ used: { pods: "0", "requests.cpu": "0" } });
});

test("a service's endpoints are its ready pods, and a budget says how many may go", async () => {
  fake.client.create(aDeployment("web"));
  fake.client.create(aService("web"));
  fake.client.create({
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: { name: "web", namespace: "default" },
    spec: { maxUnavailable: 1, selector: { matchLabels: { app: "web" } } },
  });
  await fake.settle();
  const [slice] = list("discovery.k8s.io/v1", "EndpointSlice");
  expect(asObjects(slice?.["endpoints"]).map(({ conditions }) => conditions)).toEqual(
    [1, 2, 3].map(() => ({ ready: true, serving: true, terminating: false })),
  );
  expect(list("policy/v1", "PodDisruptionBudget")[0]?.["status"]).toMatchObject({
    disruptionsAllowed: 1,
    currentHealthy: 3,
    desiredHealthy: 2,
    expectedPods: 3,
  });
});

test("an autoscaler follows what the pods use, up at once and down after five minutes", async () => {
  fake.client.create(
    aDeployment("web", { spec: { replicas: 2 }, container: { resources: { requests: { cpu: "100m" } } } }),
  );
  let cpu = "140m";
  fake.metrics.script({ labels: { app: "web" } }, () => ({ cpu, memory: "64Mi" }));
  const target = { type: "Utilization", averageUtilization: 70 };
  fake.client.create({
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata: { name: "web", namespace: "default" },
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
      minReplicas: 2,
      maxReplicas: 5,
      metrics: [{ type: "Resource", resource: { name: "cpu", target } }],
    },
  });
  const replicas = () => at(fake.client.get(web), "spec", "replicas");
  await fake.settle();
  expect(replicas()).toBe(4);
  await fake.advance(20_000);
  expect(replicas()).toBe(5);
  const scaler = fake.client
    .get(web)
    .metadata.managedFields?.find(({ subresource }) => subresource === "scale");
  expect(scaler).toMatchObject({ manager: "kube-controller-manager", operation: "Update" });
  cpu = "10m";
  await fake.advance(240_000);
  expect(replicas()).toBe(5);
  await fake.advance(120_000);
  expect(replicas()).toBe(2);
});

test("a gateway is programmed, and its routes are taken or refused by what they name", async () => {
  fake.client.create({
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "GatewayClass",
    metadata: { name: "edge" },
    spec: { controllerName: "gateway.envoyproxy.io/gatewayclass-controller" },
  });
  fake.client.create({
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "Gateway",
    metadata: { name: "edge", namespace: "default" },
    spec: {
      gatewayClassName: "edge",
      listeners: [{ name: "http", port: 80, protocol: "HTTP", hostname: "*.example.com" }],
    },
  });
  const route = (name: string, host: string) =>
    fake.client.create({
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "HTTPRoute",
      metadata: { name, namespace: "default" },
      spec: {
        parentRefs: [{ name: "edge" }],
        hostnames: [host],
        rules: [{ backendRefs: [{ name: "web", port: 80 }] }],
      },
    });
  route("good", "a.example.com");
  route("foreign", "a.example.org");
  await fake.settle();
  const verdicts = (name: string) => {
    const [parent] = asObjects(
      at(
        fake.client.get({
          apiVersion: "gateway.networking.k8s.io/v1",
          kind: "HTTPRoute",
          name,
          namespace: "default",
        }),
        "status",
        "parents",
      ),
    );
    return asObjects(parent?.["conditions"]).map(({ type, reason }) => `${String(type)} ${String(reason)}`);
  };
  const gateway = () =>
    fake.client.get({
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "Gateway",
      name: "edge",
      namespace: "default",
    });
  expect(asObjects(at(gateway(), "status", "conditions")).map(({ type, status }) => [type, status])).toEqual([
    ["Accepted", "True"],
    ["Programmed", "True"],
  ]);
  expect(asObjects(at(gateway(), "status", "addresses"))).toHaveLength(1);
  expect(verdicts("good")).toEqual(["Accepted Accepted", "ResolvedRefs BackendNotFound"]);
  expect(verdicts("foreign")[0]).toBe("Accepted NoMatchingListenerHostname");
  fake.client.create(aService("web"));
  await fake.settle();
  expect(verdicts("good")).toEqual(["Accepted Accepted", "ResolvedRefs ResolvedRefs"]);
  expect(asObjects(at(gateway(), "status", "listeners"))[0]).toMatchObject({ attachedRoutes: 1 });
});

test("somebody may do what a role bound to them says, and nothing else", async () => {
  const ada = callerOf(fake.url, "ada");
  const path = "/api/v1/namespaces/default/configmaps";
  expect((await ada.get(path)).body).toMatchObject({
    code: 403,
    message:
      'configmaps is forbidden: User "ada" cannot list resource "configmaps" in API group "" in the namespace "default"',
  });
  fake.client.create({
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "Role",
    metadata: { name: "reader", namespace: "default" },
    rules: [{ apiGroups: [""], resources: ["configmaps"], verbs: ["get", "list"] }],
  });
  fake.client.create({
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "RoleBinding",
    metadata: { name: "ada", namespace: "default" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "reader" },
    subjects: [{ kind: "User", name: "ada" }],
  });
  expect((await ada.get(path)).status).toBe(200);
  expect(
    (await ada.post(path, { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "x" } })).status,
  ).toBe(403);
  expect((await ada.get("/api/v1/namespaces/kube-system/configmaps")).status).toBe(403);
});

test("a definition is served once it is there, and takes its objects along when it goes", async () => {
  const definition = {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "toys.example.com" },
    spec: {
      group: "example.com",
      scope: "Namespaced",
      names: { plural: "toys", kind: "Toy" },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: {
              type: "object",
              properties: { spec: { type: "object", properties: { size: { type: "integer", default: 3 } } } },
            },
          },
        },
      ],
    },
  };
  const path = "/apis/example.com/v1/namespaces/default/toys";
  const call = callerOf(fake.url);
  expect((await call.get(path)).status).toBe(404);
  fake.client.create(definition);
  await fake.settle();
  const toy = { apiVersion: "example.com/v1", kind: "Toy", metadata: { name: "a" }, spec: {} };
  expect((await call.post(path, toy)).body["spec"]).toEqual({ size: 3 });
  expect((await call.post(path, { ...toy, metadata: { name: "b" }, spec: { size: "big" } })).status).toBe(
    422,
  );
  fake.client.remove({
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    name: "toys.example.com",
  });
  await fake.settle();
  expect((await call.get(path)).status).toBe(404);
});
