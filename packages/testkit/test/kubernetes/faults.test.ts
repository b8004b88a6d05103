import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { steppedClock } from "../../src/kubernetes/clock.ts";
import { openFakeKubernetes, type FakeKubernetes } from "../../src/kubernetes/open-fake-kubernetes.ts";
import { callerOf, type Caller } from "./caller.ts";

let fake: FakeKubernetes;
let call: Caller;
beforeEach(async () => {
  fake = await openFakeKubernetes({ clock: steppedClock(new Date("2026-11-29T08:00:00Z")), bundles: [] });
  call = callerOf(fake.url);
});
afterEach(() => fake[Symbol.asyncDispose]());

const maps = "/api/v1/namespaces/default/configmaps";
const map = (name: string) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name } });
const names = () => fake.client.list("v1", "ConfigMap", "default").map(({ metadata }) => metadata.name);
type Versioned = { readonly metadata: { readonly resourceVersion: string } };
const revision = async () => ((await call.get(maps)).body as unknown as Versioned).metadata.resourceVersion;

describe("faults of the API server", () => {
  test("answers so many requests with a refusal, and then as always", async () => {
    fake.faults.add(
      { verb: "create", resource: "configmaps" },
      { status: 429, retryAfterSeconds: 3 },
      { times: 1 },
    );
    const refused = await call.post(maps, map("a"));
    expect([refused.status, refused.headers.get("retry-after"), refused.body["reason"]]).toEqual([
      429,
      "3",
      "TooManyRequests",
    ]);
    expect(names()).not.toContain("a");
    expect((await call.post(maps, map("a"))).status).toBe(201);
  });

  test.each(["before", "after"] as const)("cuts the connection %s the write", async (cut) => {
    fake.faults.add({ verb: "create" }, { cut }, { times: 1 });
    await expect(call.post(maps, map("a"))).rejects.toThrow("fetch failed");
    expect(names().includes("a")).toBe(cut === "after");
  });

  test("keeps a request waiting on the cluster's clock", async () => {
    fake.faults.add({ verb: "create" }, { delayMs: 5_000 }, { times: 1 });
    const answer = call.post(maps, map("a"));
    while (fake.clock.now().getTime() < Date.parse("2026-11-29T08:00:05Z")) await fake.advance(1_000);
    // The request may reach the server after the clock has begun to move.
    await Promise.race([
      answer,
      (async () => {
        for (;;) {
          await fake.advance(1_000);
          await call.get("/version");
        }
      })(),
    ]);
    expect((await answer).status).toBe(201);
  });

  test("shows a list as it was", async () => {
    const old = await revision();
    await call.post(maps, map("a"));
    fake.faults.add({ verb: "list", resource: "configmaps" }, { staleRevision: Number(old) }, { times: 1 });
    expect(await revision()).toBe(old);
    expect(await revision()).not.toBe(old);
  });

  test("ends a watch after so many events", async () => {
    const since = await revision();
    for (const name of ["a", "b", "c"]) await call.post(maps, map(name));
    fake.faults.add({ verb: "watch" }, { cutAfterEvents: 2 });
    const seen: unknown[] = [];
    const watching = (async () => {
      for await (const line of call.watch(`${maps}?watch=1&resourceVersion=${since}`))
        seen.push(line["type"]);
    })();
    await watching.catch(() => undefined);
    expect(seen).toEqual(["ADDED", "ADDED"]);
  });

  test("refuses connections until it lets them in again", async () => {
    const letIn = await fake.refuseConnections();
    await expect(call.get("/version")).rejects.toThrow("fetch failed");
    await letIn();
    expect((await call.get("/version")).status).toBe(200);
  });

  test("goes back to a backup: younger objects are gone, and versions are older than those already seen", async () => {
    await call.post(maps, map("kept"));
    const backup = fake.snapshot();
    await call.post(maps, map("lost"));
    const seen = await revision();
    fake.restore(backup);
    expect(names()).toContain("kept");
    expect(names()).not.toContain("lost");
    expect(Number(await revision())).toBeLessThan(Number(seen));
    const future = await call.get(`${maps}?resourceVersion=${seen}`);
    expect([future.status, future.body["reason"]]).toEqual([504, "Timeout"]);
  });

  test("counts what was asked of it, by verb and resource", async () => {
    fake.requests.clear();
    await call.post(maps, map("a"));
    await call.get(maps);
    await call.get(`${maps}/a`);
    expect(fake.requests.count({ resource: "configmaps" })).toBe(3);
    expect(fake.requests.count({ verb: "list,get", resource: "configmaps" })).toBe(2);
    expect(fake.requests.list({ verb: "create" })).toMatchObject([{ status: 201, user: "kubernetes-admin" }]);
  });
});
