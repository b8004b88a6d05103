import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openFakeKubernetes, type FakeKubernetes } from "../../src/kubernetes/open-fake-kubernetes.ts";
import { callerOf, type Caller } from "./caller.ts";
import { lasting, openTranslation, recorded, withoutVersions, type Exchange } from "./exchange-replay.ts";

const exchanges = recorded<Exchange>("exchanges");
const translation = openTranslation();
let fake: FakeKubernetes;
let call: Caller;
let token = "";
let oldPage = "";
let oldRevision = "";

beforeAll(async () => {
  fake = await openFakeKubernetes({ nodes: [] });
  call = callerOf(fake.url);
});
afterAll(() => fake[Symbol.asyncDispose]());

const maps = (namespace: string) => `/api/v1/namespaces/${namespace}/configmaps`;
async function threeMaps(namespace: string): Promise<void> {
  for (const name of ["l0", "l1", "l2"])
    await call.post(maps(namespace), {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name, labels: { set: "l" } },
    });
}
const merge = "application/merge-patch+json";

/** What was done between the recorded requests, by the name of the one that follows. */
const meanwhile: Readonly<Record<string, () => Promise<unknown>>> = {
  "replace with its resourceVersion": async () => undefined,
  "list, first page": () => threeMaps("p-7f3a"),
  "watch from a resourceVersion": async () => {
    await call.patch(`${maps("p-7f3a")}/l0`, { data: { k: "v" } }, merge);
    await call.delete(`${maps("p-7f3a")}/l1`);
  },
  "eviction held back by a disruption budget": async () => {
    fake.client.create({
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      metadata: { name: "db", namespace: "p-7f3a" },
      spec: { minAvailable: 1, selector: { matchLabels: { app: "db" } } },
    });
    const ready = { type: "Ready", status: "True", lastTransitionTime: "2026-11-23T08:56:42Z" };
    await call.patch(
      "/api/v1/namespaces/p-7f3a/pods/db-0/status",
      { status: { phase: "Running", conditions: [ready] } },
      merge,
    );
    await fake.settle();
  },
  "pod security, restricted": () =>
    call.patch(
      "/api/v1/namespaces/p-7f3a",
      { metadata: { labels: { "pod-security.kubernetes.io/enforce": "restricted" } } },
      merge,
    ),
  "delete the namespace": async () => fake.pause("namespace-controller"),
  "list, continue token that has expired": async () => {
    fake.client.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: "p-9c01" } });
    await threeMaps("p-9c01");
    const page = await call.get(`${maps("p-9c01")}?limit=1&labelSelector=set%3Dl`);
    const { continue: next, resourceVersion } = page.body["metadata"] as Record<string, string>;
    [oldPage, oldRevision] = [next ?? "", resourceVersion ?? ""];
    await call.patch(`${maps("p-9c01")}/l0`, { data: { k: "2" } }, merge);
    await call.patch(`${maps("p-9c01")}/l0`, { data: { k: "2", x: null } }, merge);
    await fake.settle();
    fake.compact();
  },
};

/** The path with our own ids in it. */
function pathOf({ name, path }: Exchange): string {
  if (name === "list, continue token that has expired")
    return path.replace(/continue=[^&]+/, `continue=${oldPage}`);
  if (path.includes("p-9c01")) return path.replace(/resourceVersion=462/, `resourceVersion=${oldRevision}`);
  return translation.ours(path);
}

async function linesOf(path: string, count: number): Promise<readonly unknown[]> {
  const lines: unknown[] = [];
  for await (const line of call.watch(path)) if (lines.push(line) === count) break;
  return lines;
}

const bearer = (name: string): string => (name === "unauthorized" ? "wrong" : token);

async function send(exchange: Exchange) {
  const { method, contentType, isOther, name, request } = exchange;
  const text = translation.ours(JSON.stringify(request ?? null)).replaceAll("<token>", token);
  const caller = isOther ? callerOf(fake.url, bearer(name)) : call;
  return caller.request(method, pathOf(exchange), request === undefined ? undefined : JSON.parse(text), {
    ...(contentType && { "content-type": contentType }),
  });
}

describe("answers as a kube-apiserver v1.36.2 did", () => {
  test.each(exchanges)("$name", async (exchange) => {
    await meanwhile[exchange.name]?.();
    if (exchange.responses) {
      const lines = await linesOf(pathOf(exchange), exchange.responses.length);
      const known = (line: unknown) => {
        const { type, object } = line as { type: string; object: unknown };
        return { type, object: withoutVersions(lasting(object)) };
      };
      expect(lines.map(known)).toEqual(exchange.responses.map(known));
      return;
    }
    const answer = await send(exchange);
    const body = "text" in answer.body ? answer.body["text"] : answer.body;
    if (exchange.name === "service account token") token = (answer.body["status"] as { token: string }).token;
    expect(answer.status, JSON.stringify(body)).toBe(exchange.status);
    expect(answer.headers.get("warning") ?? undefined).toBe(exchange.warning);
    const theirs = JSON.parse(
      translation.ours(JSON.stringify(exchange.response)).replaceAll("<token>", token),
    ) as unknown;
    translation.learn(exchange.response, body);
    compare(exchange, { theirs, ours: body });
  });

  test("looks at every exchange", () => {
    expect(exchanges.length).toBe(56);
  });
});

/** Names that were made up on the spot, and what stands in a list, are compared apart. */
function compare({ name, response }: Exchange, { theirs, ours }: { theirs: unknown; ours: unknown }): void {
  translation.learn(response, ours);
  const again = JSON.parse(translation.ours(JSON.stringify(theirs))) as Record<string, unknown>;
  if (name === "create name with generateName") {
    expect((ours as { metadata: { name: string } }).metadata.name).toMatch(
      /^c-[bcdfghjklmnpqrstvwxz2456789]{5}$/,
    );
  } else if (Array.isArray(again["items"])) {
    const items = (list: unknown) => (list as { items: unknown[] }).items.map(lasting);
    expect(items(ours)).toEqual(items(again));
  } else if (name === "token review") {
    expect(ours).toMatchObject({
      status: {
        authenticated: true,
        user: { groups: (again["status"] as { user: { groups: unknown } }).user.groups },
      },
    });
  } else if (name !== "config map create" && name !== "service account token") {
    expect(lasting(ours)).toEqual(lasting(again));
  }
}
