import type { ServerResponse } from "node:http";
import { until } from "@starform/std/retry";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { openInformer, storeKey, type InformerOptions } from "../src/informer.ts";
import { openKubeApi } from "../src/open-kube-api.ts";
import { json, refusal, scriptedServer } from "./scripted-server.ts";

const kind = { apiVersion: "v1", kind: "ConfigMap" };
type Kept = { readonly name: string; readonly value: string };
type Event = { readonly type: string; readonly name: string; readonly value: string };

/** A server that keeps every event of its config maps, and cuts, forgets and falls silent as it is told. */
async function eventServer() {
  const events: Event[] = [];
  const watchers = new Set<() => void>();
  const told = { lists: 0, watches: [] as string[] };
  const how = { forgottenUntil: 0, bytesUntilCut: Number.POSITIVE_INFINITY, isSilent: false, isServed: true };
  const object = ({ name, value }: Event, version: number) => ({
    metadata: {
      name,
      namespace: "n",
      uid: `uid-${name}`,
      resourceVersion: String(version),
      managedFields: [{ a: 1 }],
    },
    data: { value },
  });
  const state = () => {
    const map = new Map<string, object>();
    events.forEach((event, at) => {
      if (event.type === "DELETED") map.delete(event.name);
      else map.set(event.name, object(event, at + 1));
    });
    return [...map.values()];
  };
  const stream = (from: number, response: ServerResponse): void => {
    let [next, budget] = [from, how.bytesUntilCut];
    const feed = () => {
      if (how.isSilent) return;
      while (next < events.length && !response.writableEnded) {
        const event = events[next++]!;
        const line = `${JSON.stringify({ type: event.type, object: object(event, next) })}\n`;
        response.write(line.slice(0, budget));
        budget -= line.length;
        if (budget <= 0) return void response.end();
      }
    };
    watchers.add(feed);
    response.on("close", () => watchers.delete(feed));
    response.writeHead(200).flushHeaders();
    feed();
  };
  const server = await scriptedServer(({ query }, response) => {
    if (!how.isServed) return response.writeHead(404).end("404 page not found");
    if (query.get("watch") !== "true") {
      told.lists += 1;
      return json(response, 200, { metadata: { resourceVersion: String(events.length) }, items: state() });
    }
    const from = query.get("resourceVersion")!;
    told.watches.push(from);
    if (Number(from) < how.forgottenUntil)
      return response.end(`${JSON.stringify({ type: "ERROR", object: refusal(410, "Expired") })}\n`);
    return stream(Number(from), response);
  });
  return {
    ...server,
    told,
    how,
    say(...more: Event[]): void {
      events.push(...more);
      for (const feed of watchers) feed();
    },
    cut: server.hangUp,
    version: () => events.length,
    [Symbol.asyncDispose]: server[Symbol.asyncDispose],
  };
}

async function opened(own: Partial<InformerOptions<Kept>> = {}) {
  const stack = new AsyncDisposableStack();
  const server = stack.use(await eventServer());
  const api = stack.use(await openKubeApi({ kubeconfig: server.kubeconfig }));
  const seen: string[] = [];
  const warned: string[] = [];
  const start = () =>
    stack.use(
      openInformer<Kept>(api, {
        resource: "configmaps",
        kind,
        selection: {},
        trim: ({ metadata, data }) => ({ name: metadata.name, value: (data as { value: string }).value }),
        changed: (after, before) => void seen.push(`${before?.value ?? "-"}>${after?.value ?? "-"}`),
        warn: (sentence) => void warned.push(sentence),
        backoff: { firstMs: 1, maxMs: 5 },
        ...own,
      }),
    );
  return { server, seen, warned, start, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}
const added = (name: string, value: string): Event => ({ type: "ADDED", name, value });
const modified = (name: string, value: string): Event => ({ type: "MODIFIED", name, value });
const deleted = (name: string): Event => ({ type: "DELETED", name, value: "" });

test("holds what the list had, then what the watch tells, and nothing that was trimmed", async () => {
  await using it = await opened();
  it.server.say(added("a", "1"));
  const informer = it.start();
  expect(informer.isSynced).toBe(false);
  await informer.synced();
  expect(informer.get(storeKey("n", "a"))).toEqual({ name: "a", value: "1" });
  it.server.say(added("b", "2"), modified("a", "3"), deleted("b"));
  await until("all was heard", () => it.seen.length === 4);
  expect(it.seen).toEqual(["->1", "->2", "1>3", "2>-"]);
  expect([...informer.values()]).toEqual([{ name: "a", value: "3" }]);
  expect(informer.lastEventAtMs).toBeGreaterThan(0);
});

test("goes on from the last version it heard, without a list", async () => {
  await using it = await opened();
  const informer = it.start();
  await informer.synced();
  it.server.say(added("a", "1"));
  await until("it was heard", () => informer.size === 1);
  it.server.cut();
  it.server.say(modified("a", "2"));
  await until("it was heard after the cut", () => informer.get("n/a")?.value === "2");
  expect(it.server.told.lists).toBe(1);
  expect(it.server.told.watches.at(-1)).toBe("1");
});

test("reads the list anew when its version is too old, and tells the difference", async () => {
  await using it = await opened();
  it.server.say(added("a", "1"), added("b", "1"));
  const informer = it.start();
  await informer.synced();
  await until("it watches", () => it.server.told.watches.length === 1);
  it.server.how.isSilent = true;
  it.server.say(deleted("a"), modified("b", "2"), added("c", "1"));
  it.server.how.forgottenUntil = it.server.version();
  it.server.how.isSilent = false;
  it.server.cut();
  await until("the difference was told", () => it.seen.length === 5);
  expect(it.seen.slice(2).toSorted()).toEqual(["->1", "1>-", "1>2"]);
  expect(it.server.told.lists).toBe(2);
  expect(informer.watchErrors).toBeGreaterThanOrEqual(1);
});

test("notices a watch that fell silent, says so once and repairs it", async () => {
  let frozen = 0;
  await using it = await opened({ silentMaxMs: 300, frozen: () => void (frozen += 1) });
  const informer = it.start();
  await informer.synced();
  it.server.how.isSilent = true;
  it.server.say(added("a", "1"));
  await until("the list was read anew", () => informer.size === 1);
  expect(frozen).toBeGreaterThanOrEqual(1);
  expect(informer.frozenTimes).toBe(frozen);
  expect(it.warned[0]).toMatch(/nothing was heard of configmaps/);
  expect(it.seen).toEqual(["->1"]);
});

test("keeps what it knows while the server refuses everything, and is empty only when the kind is gone", async () => {
  await using it = await opened();
  it.server.say(added("a", "1"));
  const informer = it.start();
  await informer.synced();
  await it.server[Symbol.asyncDispose]();
  await until("it failed", () => informer.watchErrors > 2);
  expect(informer.size).toBe(1);
});

test("waits for a kind that is not served", async () => {
  await using it = await opened();
  it.server.how.isServed = false;
  const informer = it.start();
  await informer.synced();
  expect(informer.size).toBe(0);
  it.server.how.isServed = true;
  it.server.say(added("a", "1"));
  informer.repair();
  await until("it is there", () => informer.size === 1);
});

test("is right in the end, wherever the watch was cut and whatever was forgotten", async () => {
  const names = fc.constantFrom("a", "b", "c");
  const change = fc.record({
    name: names,
    value: fc.string({ maxLength: 20 }),
    isDeletion: fc.boolean(),
    cutAfterBytes: fc.option(fc.integer({ min: 1, max: 600 })),
    isForgotten: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 12 }), async (changes) => {
      await using it = await opened();
      const informer = it.start();
      await informer.synced();
      const truth = new Map<string, string>();
      for (const { name, value, isDeletion, cutAfterBytes, isForgotten } of changes) {
        it.server.how.bytesUntilCut = cutAfterBytes ?? Number.POSITIVE_INFINITY;
        if (isForgotten) it.server.how.forgottenUntil = it.server.version();
        if (cutAfterBytes !== null) it.server.cut();
        if (isDeletion && !truth.delete(name)) continue;
        it.server.say(
          isDeletion ? deleted(name) : truth.has(name) ? modified(name, value) : added(name, value),
        );
        if (!isDeletion) truth.set(name, value);
      }
      it.server.how.bytesUntilCut = Number.POSITIVE_INFINITY;
      await until("the store is what is true", () => {
        const kept = [...informer.values()].map((each) => [each.name, each.value]);
        return JSON.stringify(kept.toSorted()) === JSON.stringify([...truth].toSorted());
      });
    }),
    { numRuns: 60 },
  );
});

test("the answer to a write changes nothing of which the watch has told a later version", async () => {
  await using it = await opened();
  it.server.say(added("a", "1"));
  const informer = it.start();
  await informer.synced();
  it.server.say(modified("a", "2"), modified("a", "3"));
  await until("all was heard", () => it.seen.length === 3);
  const written = { name: "a", namespace: "n", uid: "uid-a", resourceVersion: "2" };
  const answer = { apiVersion: "v1", kind: "ConfigMap", metadata: written, data: { value: "2" } };
  expect(informer.learn(answer)).toEqual({ name: "a", value: "2" });
  expect(informer.get(storeKey("n", "a"))).toEqual({ name: "a", value: "3" });
});
