import { randomBytes, randomUUID } from "node:crypto";
import { desiredStatePurpose, type DesiredService, type DesiredState } from "@starform/contract/clusters";
import { Fault } from "@starform/std/fault";
import { until } from "@starform/std/retry";
import { signerOf, verifierOf } from "@starform/std/signature";
import { expect, test, vi } from "vitest";
import { aDocument, aService, redeployed } from "../../test/desired.ts";
import { overrideName, type Override } from "../core/overrides.ts";
import type { DesiredStore, OverrideStore, SentDocument, Starbase } from "../core/ports.ts";
import { keyOf } from "../core/service-key.ts";
import { desiredStateLoop } from "./desired-state.ts";
import { openDesiredView } from "./desired-view.ts";

const clusterId = randomUUID();
const signer = signerOf(`k1:${randomBytes(32).toString("base64")}`, desiredStatePurpose);
const isSigned = verifierOf(signer.publicKeys, desiredStatePurpose);

const sent = (state: DesiredState, own: Partial<SentDocument> = {}): SentDocument => {
  const text = JSON.stringify(state);
  return { text, signature: signer.sign(text), etag: `"${state.version}"`, ...own };
};
const kept = (...documents: SentDocument[]): DesiredStore & { saved: SentDocument[] } => {
  const saved: SentDocument[] = [];
  return {
    saved,
    load: async () => documents,
    save: async (document) => void saved.push(document),
    prune: async () => undefined,
  };
};
/** Overrides whose next `fails` reads are refused. */
function inMemory(
  ...first: Override[]
): OverrideStore & { all: Override[]; spoiled: string[]; reads: number; fails: number } {
  const all = [...first];
  const store = {
    all,
    spoiled: [] as string[],
    reads: 0,
    fails: 0,
    async list() {
      store.reads += 1;
      if (store.fails-- > 0) throw new Error("500 from the API server");
      return { overrides: [...all], spoiled: [...store.spoiled] };
    },
    put: async (override: Override) => void all.push(override),
    remove: async ({ key }: { key: string }) =>
      void all.splice(0, all.length, ...all.filter((one) => one.key !== key)),
    onChange: () => ({ [Symbol.asyncDispose]: async () => undefined }),
  };
  return store;
}
const heldBack = (good: DesiredService, bad: DesiredService): Override => ({
  key: keyOf(good),
  from_version: 1,
  instead_of: bad.provenance.deployment_id,
  service: good,
  by: "ada",
  at: "2026-11-29T08:00:00.000Z",
});
const open = async (own: {
  store?: DesiredStore;
  overrides?: OverrideStore;
  runsHere?: () => Promise<boolean>;
  changed?: (keys: readonly string[]) => void;
}) => {
  const said: string[] = [];
  const view = await openDesiredView({
    store: kept(),
    overrides: inMemory(),
    clusterId,
    isSigned,
    runsHere: async () => false,
    changed: () => undefined,
    warn: (sentence) => said.push(sentence),
    ...own,
  });
  return { view, said };
};

test("without Starbase the last good state that is kept is what is desired", async () => {
  const good = aDocument(clusterId, 4, [aService({ image: "a" })]);
  const tampered = sent(aDocument(clusterId, 6, [aService({ image: "evil" })]), {
    signature: sent(good).signature,
  });
  const foreign = sent(aDocument(randomUUID(), 7, []));
  const unsigned = sent(aDocument(clusterId, 8, []), { signature: undefined });
  const broken = { text: "{", signature: signer.sign("{"), etag: undefined };
  const { view, said } = await open({ store: kept(broken, unsigned, foreign, tampered, sent(good)) });
  expect([view.state?.version, view.etag]).toEqual([4, '"4"']);
  expect(said).toHaveLength(4);
  expect(said.join("\n")).toMatch(/not JSON[^]*not signed[^]*belongs to cluster[^]*signature is not one/);
});

test("a store that cannot be read is read again at every pass, until what it keeps is desired", async () => {
  const good = kept(sent(aDocument(clusterId, 7, [aService({ image: "a" })])));
  let fails = 2;
  const store = { ...good, load: () => (fails-- > 0 ? Promise.reject(new Error("EIO")) : good.load()) };
  const changes: (readonly string[])[] = [];
  const { view, said } = await open({ store, changed: (keys) => changes.push(keys) });
  await view.reread();
  expect([view.state, changes]).toEqual([undefined, []]);
  await view.reread();
  expect([view.state?.version, view.etag, changes.length]).toEqual([7, '"7"', 1]);
  expect(said).toEqual(Array(2).fill("the stored desired state could not be read, and is read again: EIO"));
});

test("nothing older than what is kept is believed, also while what is kept cannot be read", async () => {
  const good = kept(sent(aDocument(clusterId, 7, [aService({ image: "a" })])));
  let fails = 2;
  const store = { ...good, load: () => (fails-- > 0 ? Promise.reject(new Error("EIO")) : good.load()) };
  const { view, said } = await open({ store });
  const older = sent(aDocument(clusterId, 3, [aService({ image: "old" })]));
  expect([await view.take(older), view.state]).toEqual([false, undefined]);
  expect(said.at(-1)).toMatch(/not believed before what is stored of it was read: it may be older/);
  expect([await view.take(older), view.state, good.saved]).toEqual([false, undefined, []]);
  await view.reread();
  expect(said.at(-1)).toMatch(/version 3 is older than 7/);
  expect(view.state?.version).toBe(7);
  expect(await view.take(sent(aDocument(clusterId, 8, [aService({ image: "b" })])))).toBe(true);
});

test("the first question is answered at once, later ones wait; what changed is told between storing it and forgetting the oldest", async () => {
  const [a, b] = [aService({ image: "a" }), aService({ image: "b" })];
  const documents = [sent(aDocument(clusterId, 1, [a, b])), sent(aDocument(clusterId, 2, [a]))];
  const order: string[] = [];
  const starbase = {
    async fetchDesired(etag: string | undefined, wait: number, signal: AbortSignal) {
      order.push(`ask ${etag} ${wait}`);
      const document = documents.shift();
      if (document) return { kind: "document", ...document };
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      return { kind: "unchanged" };
    },
  } as unknown as Starbase;
  const { view } = await open({
    store: {
      ...kept(),
      save: async ({ etag }) => void order.push(`store ${etag}`),
      prune: async () => void order.push("prune"),
    },
    changed: (keys) => order.push(`changed ${keys.length}`),
  });
  await using _loop = desiredStateLoop(
    { starbase, view, reached: () => undefined, warn: () => undefined },
    50,
  );
  await until("both are taken", () => order.length === 9);
  expect(order).toEqual([
    "ask undefined 0",
    'store "1"',
    "changed 2",
    "prune",
    'ask "1" 30',
    'store "2"',
    "changed 1",
    "prune",
    'ask "2" 30',
  ]);
});

test("a disk that is full keeps nobody from what was decided, which is stored when there is room", async () => {
  const good = kept();
  let fails = 2;
  const save: DesiredStore["save"] = (document) =>
    fails-- > 0 ? Promise.reject(new Error("ENOSPC")) : good.save(document);
  const { view, said } = await open({ store: { ...good, save } });
  const document = sent(aDocument(clusterId, 1, [aService({ image: "a" })]));
  await view.take(document);
  expect(view.state?.version).toBe(1);
  expect(said[0]).toMatch(/version 1 .* is applied but could not be stored, and is stored later: ENOSPC/);
  for (const stored of [[], [document], [document]]) {
    await view.reread();
    expect(good.saved).toEqual(stored);
  }
});

test("a document that Starbase did not sign is refused and not kept", async () => {
  const store = kept(sent(aDocument(clusterId, 1, [aService({ image: "a" })])));
  const { view, said } = await open({ store });
  const next = aDocument(clusterId, 2, [aService({ image: "b" })]);
  const stranger = signerOf(`k1:${randomBytes(32).toString("base64")}`, desiredStatePurpose);
  for (const signature of [undefined, stranger.sign(JSON.stringify(next)), "k9:AAAA"])
    expect(await view.take(sent(next, { signature }))).toBe(false);
  expect([view.state?.version, store.saved.length, said.length]).toEqual([1, 0, 3]);
});

test("an empty document is refused however often it is said, until it was said what is deleted", async () => {
  vi.useFakeTimers({ toFake: ["performance", "Date"] });
  try {
    const services = [aService({ image: "a" }), aService({ image: "b" })];
    const { view, said } = await open({ store: kept(sent(aDocument(clusterId, 7, services))) });
    for (let minute = 0; minute < 60; minute++) {
      vi.advanceTimersByTime(60_000);
      expect(await view.take(sent(aDocument(clusterId, 8 + minute, [])))).toBe(false);
    }
    expect([view.state?.services.length, said.length]).toEqual([2, 60]);
    const deleted = services.map((service) => ({ ...service, deleted: true }));
    expect(await view.take(sent(aDocument(clusterId, 80, deleted)))).toBe(true);
    expect(await view.take(sent(aDocument(clusterId, 81, [])))).toBe(true);
  } finally {
    vi.useRealTimers();
  }
});

test("an empty document removes nothing where what was last decided is lost and something runs", async () => {
  const { view, said } = await open({ runsHere: async () => true });
  expect(await view.take(sent(aDocument(clusterId, 1, [])))).toBe(false);
  expect([view.state, said[0]]).toEqual([undefined, expect.stringMatching(/empty while services run here/)]);
});

test("while Starbase is away for good, what is asked of it backs off and nothing that runs is told to change", async () => {
  let asked = 0;
  const starbase = {
    fetchDesired: async () => {
      asked += 1;
      throw new Fault("unavailable", "Starbase is away");
    },
  } as unknown as Starbase;
  const changes: string[] = [];
  const { view } = await open({
    store: kept(sent(aDocument(clusterId, 4, [aService({ image: "a" })]))),
    changed: (keys) => changes.push(...keys),
  });
  await using _loop = desiredStateLoop(
    { starbase, view, reached: () => undefined, warn: () => undefined },
    50,
  );
  await until("it was asked again", () => asked >= 2);
  expect([view.state?.version, changes]).toEqual([4, []]);
});

test("a service that is held back runs the earlier version until Starbase decides anew", async () => {
  const before = aService({ image: "good", replicas: 1 });
  const bad = redeployed(before, { image: "bad", replicas: 3 });
  const other = aService({ image: "other" });
  const override = heldBack(before, bad);
  const overrides = inMemory();
  const changes: (readonly string[])[] = [];
  const { view, said } = await open({
    store: kept(sent(aDocument(clusterId, 2, [bad, other]))),
    overrides,
    changed: (keys) => changes.push(keys),
  });
  const images = () => view.state?.services.map(({ image, replicas }) => `${image} ${replicas}`);
  expect(images()).toEqual(["bad 3", "other 1"]);
  await overrides.put(override);
  await view.overridesChanged();
  expect(images()).toEqual(["good 3", "other 1"]);
  expect(view.override(override.key)?.by).toBe("ada");
  expect(changes).toEqual([[override.key]]);

  await view.take(sent(aDocument(clusterId, 3, [{ ...bad, replicas: 5 }, other])));
  expect(images()).toEqual(["good 5", "other 1"]);
  await view.take(sent(aDocument(clusterId, 4, [redeployed(bad, { image: "mended" }), other])));
  expect(images()).toEqual(["mended 3", "other 1"]);
  await view.reread();
  expect(said).toEqual([expect.stringMatching(/no longer held at version 1: Starbase decided anew/)]);
  // It is over, whatever Starbase decides, and kept until that was told.
  await view.take(sent(aDocument(clusterId, 5, [bad, other])));
  expect(images()).toEqual(["bad 3", "other 1"]);
  await view.told(view.override(override.key)!);
  await view.take(sent(aDocument(clusterId, 6, [redeployed(bad, { image: "mended" }), other])));
  const over = view.override(override.key);
  expect([over?.let_go, overrides.all]).toEqual([
    { by: "ada@example.com", at: before.provenance.deployed_at },
    [override],
  ]);
  await view.told(over!);
  expect([view.override(override.key), overrides.all]).toEqual([undefined, []]);
});

test("a failed read of what is held back lets nothing go, and is made again", async () => {
  const good = aService({ image: "good" });
  const bad = redeployed(good, { image: "bad" });
  const overrides = inMemory(heldBack(good, bad));
  const changes: (readonly string[])[] = [];
  const { view, said } = await open({
    store: kept(sent(aDocument(clusterId, 2, [bad]))),
    overrides,
    changed: (keys) => changes.push(keys),
  });
  const held = view.state;
  expect(held?.services[0]?.image).toBe("good");
  overrides.all.pop();
  overrides.fails = 2;
  await view.overridesChanged();
  await view.take(sent(aDocument(clusterId, 3, [{ ...bad, replicas: 2 }])));
  expect(view.state?.services[0]).toMatchObject({ image: "good", replicas: 2 });
  expect(said).toHaveLength(2);
  expect(said[0]).toMatch(/what was held before stays so: 500 from the API server/);
  await view.reread();
  expect([view.state?.services[0]?.image, changes.length]).toEqual(["bad", 2]);
});

test("an override that is spoiled while it is in force stays so; one that nobody could read leaves its service alone", async () => {
  const [good, other] = [aService({ image: "good" }), aService({ image: "other" })];
  const bad = redeployed(good, { image: "bad" });
  const overrides = inMemory(heldBack(good, bad));
  const changes: (readonly string[])[] = [];
  const { view, said } = await open({
    store: kept(sent(aDocument(clusterId, 2, [bad, other]))),
    overrides,
    changed: (keys) => changes.push(keys),
  });
  overrides.all.length = 0;
  overrides.spoiled.push(overrideName(keyOf(bad)), overrideName(keyOf(other)));
  await view.overridesChanged();
  expect(view.state?.services.map(({ image }) => image)).toEqual(["good", "other"]);
  expect([keyOf(bad), keyOf(other)].map((key) => view.isLeftAlone(key))).toEqual([false, true]);
  expect(said.at(-1)).toMatch(/^2 of what is kept of `shuttle rollback` cannot be read/);
  overrides.spoiled.length = 0;
  await view.overridesChanged();
  expect(view.isLeftAlone(keyOf(other))).toBe(false);
  expect(changes).toEqual([[keyOf(other)], [keyOf(bad), keyOf(other)]]);
});

test("what was let go runs as decided, and who did it is known until Starbase decides anew", async () => {
  const good = aService({ image: "good" });
  const bad = redeployed(good, { image: "bad" });
  const let_go = { by: "bob", at: "2026-11-29T09:00:00.000Z" };
  const overrides = inMemory({ ...heldBack(good, bad), let_go });
  const { view, said } = await open({ store: kept(sent(aDocument(clusterId, 2, [bad]))), overrides });
  expect(view.state?.services[0]?.image).toBe("bad");
  expect(view.override(keyOf(bad))?.let_go).toEqual(let_go);
  await view.take(sent(aDocument(clusterId, 3, [redeployed(bad)])));
  expect(view.override(keyOf(bad))?.let_go).toEqual(let_go);
  await view.told(view.override(keyOf(bad))!);
  expect([view.override(keyOf(bad)), overrides.all, said]).toEqual([undefined, [], []]);
});

test("what held a service back that Starbase wants gone is forgotten with it", async () => {
  const good = aService({ image: "good" });
  const bad = redeployed(good, { image: "bad" });
  const overrides = inMemory(heldBack(good, bad));
  const { view } = await open({ store: kept(sent(aDocument(clusterId, 2, [bad]))), overrides });
  await view.take(sent(aDocument(clusterId, 3, [{ ...bad, deleted: true }])));
  expect([view.override(keyOf(bad)), overrides.all]).toEqual([undefined, []]);
});

test("nothing is desired before it is known what is held back", async () => {
  const good = aService({ image: "good" });
  const bad = redeployed(good, { image: "bad" });
  const overrides = inMemory(heldBack(good, bad));
  overrides.fails = 2;
  const store = kept(sent(aDocument(clusterId, 2, [bad])));
  const { view, said } = await open({ store, overrides });
  await view.take(sent(aDocument(clusterId, 3, [bad])));
  expect([view.state, said.length, store.saved.length]).toEqual([undefined, 2, 1]);
  await view.reread();
  expect(view.state).toMatchObject({ version: 3, services: [{ image: "good" }] });
});

test("what is held back is read when it changed, and at no pass besides", async () => {
  const overrides = inMemory();
  const { view } = await open({ store: kept(sent(aDocument(clusterId, 1, []))), overrides });
  for (let pass = 0; pass < 10; pass++) await view.reread();
  expect(overrides.reads).toBe(1);
  await Promise.all([view.overridesChanged(), view.overridesChanged(), view.reread()]);
  expect(overrides.reads).toBe(2);
});

test("a change that is told while the overrides are being read is not lost", async () => {
  const good = aService({ image: "good" });
  const bad = redeployed(good, { image: "bad" });
  const overrides = inMemory();
  const { view } = await open({ store: kept(sent(aDocument(clusterId, 2, [bad]))), overrides });
  const reading = Promise.withResolvers<void>();
  const list = overrides.list;
  overrides.list = async () => {
    const read = await list();
    await reading.promise;
    return read;
  };
  const first = view.overridesChanged();
  await until("the first read is under way", () => overrides.reads === 2);
  await overrides.put(heldBack(good, bad));
  const second = view.overridesChanged();
  reading.resolve();
  await Promise.all([first, second]);
  expect(view.state?.services[0]?.image).toBe("good");
});
