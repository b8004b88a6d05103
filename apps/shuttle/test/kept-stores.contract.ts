import { randomBytes, randomUUID } from "node:crypto";
import { until } from "@starform/std/retry";
import { describe, expect, test } from "vitest";
import type { Override } from "../src/core/overrides.ts";
import type { DesiredStore, OverrideStore, SentDocument } from "../src/core/ports.ts";
import { keyOf } from "../src/core/service-key.ts";
import { aService } from "./desired.ts";

export type KeptRig = AsyncDisposable & {
  /** Another process's view of the same stores. */
  open(): { readonly desired: DesiredStore; readonly overrides: OverrideStore };
  /** Spoils the newest document as a write that was cut off, or a hand, would. */
  spoilNewest(): Promise<void>;
  /** Puts something that is no override beside them. */
  spoilOverrides(): Promise<void>;
};

const sent = (text: string, own: Partial<SentDocument> = {}): SentDocument => ({
  text,
  signature: "k1:abc",
  etag: '"1"',
  ...own,
});
export const anOverride = (): Override => {
  const service = aService({ image: "a" });
  return {
    key: keyOf(service),
    from_version: 3,
    instead_of: randomUUID(),
    service,
    by: "ada",
    at: "2026-11-29T08:00:00.000Z",
  };
};

/** What must be known without Starbase, on every kind of cluster. */
export function keptStoresContract(name: string, openRig: () => Promise<KeptRig>): void {
  describe(`what ${name} keeps`, () => {
    test("is the last desired state and the ten before it, newest first, after a restart", async () => {
      await using rig = await openRig();
      expect(await rig.open().desired.load()).toEqual([]);
      for (let version = 1; version <= 14; version++) {
        const { desired } = rig.open();
        await desired.save(sent(`v${version}`, { etag: `"${version}"` }));
        await desired.prune();
      }
      const kept = await rig.open().desired.load();
      expect(kept[0]).toEqual({ text: "v14", signature: "k1:abc", etag: '"14"' });
      expect(kept.map(({ text }) => text)).toEqual(Array.from({ length: 11 }, (_, at) => `v${14 - at}`));
    });

    test("is the same text once, with its newest ETag, and nothing invented where there is no signature", async () => {
      await using rig = await openRig();
      const { desired } = rig.open();
      await desired.save(sent("a", { signature: undefined, etag: undefined }));
      await desired.save(sent("a", { signature: undefined, etag: '"2"' }));
      expect(await desired.load()).toEqual([{ text: "a", signature: undefined, etag: '"2"' }]);
    });

    test("is the same text once, where another Shuttle stored it meanwhile, or the answer to storing it was lost", async () => {
      await using rig = await openRig();
      const [one, other] = [rig.open().desired, rig.open().desired];
      await one.save(sent("a"));
      await other.save(sent("b"));
      await one.save(sent("b"));
      await other.save(sent("c"));
      await one.save(sent("c"));
      expect((await one.load()).map(({ text }) => text)).toEqual(["c", "b", "a"]);
    });

    test("is the version before one that was cut off, and goes on from there", async () => {
      await using rig = await openRig();
      for (const text of ["one", "two"]) await rig.open().desired.save(sent(text));
      await rig.spoilNewest();
      expect((await rig.open().desired.load()).map(({ text }) => text)).toEqual(["one"]);
      await rig.open().desired.save(sent("three"));
      expect((await rig.open().desired.load()).map(({ text }) => text)).toEqual(["three", "one"]);
    });

    test("is a document of megabytes that does not compress, byte for byte", async () => {
      await using rig = await openRig();
      const text = randomBytes(1_500_000).toString("base64");
      await rig.open().desired.save(sent(text));
      await rig.open().desired.save(sent("small"));
      const kept = await rig.open().desired.load();
      expect(kept.map((document) => document.text === text)).toEqual([false, true]);
    });

    test("is an override until that very one is forgotten, and another process hears of it", async () => {
      await using rig = await openRig();
      const [held, other] = [anOverride(), anOverride()];
      let changes = 0;
      await using _watching = rig.open().overrides.onChange(() => void (changes += 1));
      await until("it was told that none is missed any more", () => changes > 0);
      changes = 0;
      await rig.open().overrides.put(held);
      await until("it was heard", () => changes > 0);
      await rig.open().overrides.put(other);
      await rig.spoilOverrides();
      const { overrides } = rig.open();
      const list = async () => (await overrides.list()).overrides;
      const keys = async () => (await list()).map(({ key }) => key).sort();
      expect(await keys()).toEqual([held.key, other.key].sort());
      expect((await overrides.list()).spoiled).toEqual(["broken"]);
      await overrides.remove({ ...held, at: "2026-11-29T09:00:00.000Z" });
      expect(await keys()).toHaveLength(2);
      await overrides.put({ ...held, from_version: 4 });
      await overrides.remove(other);
      expect(await list()).toEqual([{ ...held, from_version: 4 }]);
      await overrides.remove({ key: held.key });
      expect(await list()).toEqual([]);
    });
  });
}
