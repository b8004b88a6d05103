import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openFakeKubernetes, type FakeKubernetes } from "../../src/kubernetes/open-fake-kubernetes.ts";
import { callerOf, type Caller } from "./caller.ts";

let fake: FakeKubernetes;
let call: Caller;
beforeAll(async () => {
  fake = await openFakeKubernetes();
  call = callerOf(fake.url);
});
afterAll(() => fake[Symbol.asyncDispose]());

const configMap = (name: string, data: Record<string, string> = {}) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name },
  data,
});
const maps = "/api/v1/namespaces/default/configmaps";

describe("a fake Kubernetes API server", () => {
  test("says which version it is and what it serves", async () => {
    expect((await call.get("/version")).body).toMatchObject({ gitVersion: "v1.36.2" });
    const apps = await call.get("/apis/apps/v1");
    expect(apps.body["resources"]).toContainEqual(expect.objectContaining({ name: "deployments/scale" }));
    const gateway = await call.get("/apis/gateway.networking.k8s.io/v1");
    expect(gateway.body["resources"]).toContainEqual(expect.objectContaining({ name: "httproutes" }));
    const aggregated = await call.get("/apis", {
      accept: "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
    });
    expect(aggregated.body).toMatchObject({ kind: "APIGroupDiscoveryList" });
  });

  test("refuses who does not say a token it knows", async () => {
    const response = await fetch(`${fake.url}${maps}`, { headers: { authorization: "Bearer nobody" } });
    expect(response.status).toBe(401);
  });

  test("keeps, changes and removes an object, and tells a watcher each of these", async () => {
    const { metadata } = (await call.get(maps)).body as { metadata: { resourceVersion: string } };
    const lines = call.watch(`${maps}?watch=1&resourceVersion=${metadata.resourceVersion}`);
    const made = await call.post(maps, configMap("seen", { a: "1" }));
    expect(made.status).toBe(201);
    await call.patch(`${maps}/seen`, { data: { a: "2" } }, "application/merge-patch+json");
    expect((await call.delete(`${maps}/seen`)).body).toMatchObject({ status: "Success" });
    const types: unknown[] = [];
    for await (const line of lines) if (types.push(line["type"]) === 3) break;
    expect(types).toEqual(["ADDED", "MODIFIED", "DELETED"]);
  });

  test("applies, and takes away what is not applied any more", async () => {
    const first = await call.apply(`${maps}/applied`, configMap("applied", { a: "1", b: "2" }), "one");
    expect(first.status).toBe(201);
    const second = await call.apply(`${maps}/applied`, configMap("applied", { a: "1" }), "one");
    expect(second).toMatchObject({ status: 200, body: { data: { a: "1" } } });
    expect(second.body["data"]).not.toHaveProperty("b");
    const other = await call.apply(`${maps}/applied`, configMap("applied", { a: "3" }), "two");
    expect(other).toMatchObject({ status: 409, body: { reason: "Conflict" } });
  });
});
