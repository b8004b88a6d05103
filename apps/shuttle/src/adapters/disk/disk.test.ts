import { randomUUID } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "@starform/std/retry";
import { afterEach, beforeEach, expect, test } from "vitest";
import { aService } from "../../../test/desired.ts";
import type { RunningPod } from "../../core/cluster.ts";
import { keyOf } from "../../core/service-key.ts";
import { snapshotsOf } from "../../core/snapshots.ts";
import { fileDesiredStore } from "./desired-store.ts";
import { fileOverrideStore } from "./override-store.ts";
import { fileSnapshotLog } from "./snapshot-log.ts";

let dir: string;
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), "starform-disk-"))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test("the last good desired state is there after a restart, with the ten before it and no more", async () => {
  for (let version = 1; version <= 15; version++)
    await fileDesiredStore(dir).save({
      text: `{"version":${version}}`,
      signature: "k1:abc",
      etag: `"${version}"`,
    });
  const kept = await fileDesiredStore(dir).load();
  expect(kept[0]).toEqual({ text: '{"version":15}', signature: "k1:abc", etag: '"15"' });
  expect(kept.map(({ text }) => (JSON.parse(text) as { version: number }).version)).toEqual(
    Array.from({ length: 11 }, (_, at) => 15 - at),
  );
});

test("the same text is kept once, whatever its ETag", async () => {
  const store = fileDesiredStore(dir);
  for (const etag of ['"1"', '"2"']) await store.save({ text: "{}", signature: undefined, etag });
  expect(await store.load()).toEqual([{ text: "{}", signature: undefined, etag: '"2"' }]);
});

test("a damaged file is passed over for the one before it, and a draft is never read", async () => {
  const store = fileDesiredStore(dir);
  const save = (text: string) => store.save({ text, signature: undefined, etag: undefined });
  for (const text of ["one", "two"]) await save(text);
  writeFileSync(join(dir, "current.json"), '{"text": "tw');
  writeFileSync(join(dir, "current.json.draft"), "{}");
  expect((await store.load()).map(({ text }) => text)).toEqual(["one"]);
  await save("three");
  expect((await store.load()).map(({ text }) => text)).toEqual(["three", "one"]);
});

test("an override is kept until the very one is forgotten, and another process hears of it", async () => {
  const service = aService({ image: "a" });
  const override = {
    key: keyOf(service),
    from_version: 3,
    instead_of: randomUUID(),
    service,
    by: "ada",
    at: "2026-11-29T08:00:00.000Z",
  };
  const store = fileOverrideStore(dir);
  let changes = 0;
  await using _watching = store.onChange(() => void (changes += 1));
  await fileOverrideStore(dir).put(override);
  await until("it was heard", () => changes > 0);
  writeFileSync(join(dir, "broken.json"), "{");
  expect(await store.list()).toEqual([override]);
  await store.remove({ ...override, at: "2026-11-29T09:00:00.000Z" });
  expect(await store.list()).toHaveLength(1);
  await store.remove(override);
  expect(await store.list()).toEqual([]);
});

test("snapshots are kept over restarts in their order until they are taken, and a damaged batch holds up no other", () => {
  const pod: RunningPod = {
    podId: "web-1",
    workspaceId: randomUUID(),
    projectId: randomUUID(),
    environment: "production",
    serviceId: randomUUID(),
    tier: "nova",
    phase: "Running",
    cpuRequestMillis: 500,
    memoryRequestBytes: 2 ** 30,
  };
  const said: string[] = [];
  const open = () => fileSnapshotLog(dir, (sentence) => said.push(sentence));
  for (const minute of [3, 1, 2])
    open().append(snapshotsOf([pod], new Date(minute * 60_000)), new Date(minute * 60_000));
  writeFileSync(join(dir, "000000000060000.json"), "[{");
  const log = open();
  const taken = [];
  for (let batch = log.oldest(); batch; batch = log.oldest()) {
    taken.push(batch.snapshots[0]?.snapshot_timestamp);
    log.taken(batch.name);
  }
  expect(taken).toEqual(["1970-01-01T00:02:00.000Z", "1970-01-01T00:03:00.000Z"]);
  expect(readdirSync(join(dir, "refused"))).toEqual(["000000000060000.json"]);
  expect(said).toHaveLength(1);
  expect(open().oldest()).toBeUndefined();
});
