import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { aPod } from "../../../test/running-pod.ts";
import { snapshotsOf } from "../../core/snapshots.ts";
import { fileSnapshotLog } from "./snapshot-log.ts";

let dir: string;
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), "starform-disk-"))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test("snapshots are kept over restarts in their order until they are taken, and a damaged batch holds up no other", () => {
  const pod = aPod();
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
  expect(open().writtenThrough()).toEqual(new Date(180_000));
  log.append(snapshotsOf([pod], new Date(240_000)), new Date(240_000));
  const sending = log.oldest()!;
  log.append(snapshotsOf([{ ...pod, podId: "web-2" }], new Date(240_000)), new Date(240_000));
  log.taken(sending.name);
  expect(
    open()
      .oldest()
      ?.snapshots.map(({ pod_id: id }) => id),
  ).toEqual(["web-2"]);
});
