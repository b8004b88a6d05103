import { randomUUID } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { aDocument, aService } from "../../../test/desired.ts";
import type { RunningPod } from "../../core/cluster.ts";
import { snapshotsOf } from "../../core/snapshots.ts";
import { fileDesiredStore } from "./desired-store.ts";
import { fileSnapshotLog } from "./snapshot-log.ts";

let dir: string;
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), "starform-disk-"))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test("the last good desired state is there after a restart, with the ten before it and no more", () => {
  const clusterId = randomUUID();
  for (let version = 1; version <= 15; version++)
    fileDesiredStore(dir).save(
      aDocument(clusterId, version, [aService({ image: `image-${version}` })]),
      `"${version}"`,
    );
  const kept = fileDesiredStore(dir).load();
  expect(kept).toMatchObject({ etag: '"15"', state: { version: 15, services: [{ image: "image-15" }] } });
  expect(readdirSync(join(dir, "previous")).sort()).toEqual(
    Array.from({ length: 10 }, (_, at) => `${at + 5}.json`).sort(),
  );
});

test("a damaged file is passed over for the one before it, and a draft is never read", () => {
  const store = fileDesiredStore(dir);
  const clusterId = randomUUID();
  for (const version of [1, 2]) store.save(aDocument(clusterId, version, []), undefined);
  writeFileSync(join(dir, "current.json"), '{"state": {"version"');
  writeFileSync(join(dir, "current.json.draft"), "{}");
  expect(fileDesiredStore(dir).load()?.state.version).toBe(1);
  store.save(aDocument(clusterId, 3, []), undefined);
  expect(fileDesiredStore(dir).load()?.state.version).toBe(3);
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
