import { gunzipSync, gzipSync } from "node:zlib";
import type { Snapshot } from "@starform/contract/clusters";
import type { SnapshotLog } from "../../core/ports.ts";
import { snapshotId } from "../../core/snapshots.ts";

type Batch = { readonly name: string; readonly at: Date; readonly packed: Buffer };

/** 3,000 pods of as many projects take 270 KB a minute at most: two hours of an outage. 300 pods: twenty. */
const bytesMax = 32 * 2 ** 20;

/**
 * Snapshots of a Shuttle without a volume: an outage of Starbase loses nothing while they fit, and a restart of Shuttle
 * during one loses what was not taken yet and cannot be seen any more. They are kept packed, without their ids, which follow from the rest.
 */
export function memorySnapshotLog(warn: (sentence: string) => void, bytesLimit = bytesMax): SnapshotLog {
  let batches: Batch[] = [];
  let serial = 0;
  const bytes = (): number => batches.reduce((sum, { packed }) => sum + packed.length, 0);
  const drop = (name: string): void => void (batches = batches.filter((batch) => batch.name !== name));
  return {
    outlivesProcess: false,
    writtenThrough: () => undefined,
    append(snapshots, at) {
      const plain = snapshots.map(({ snapshot_id: _, ...rest }) => rest);
      const packed = gzipSync(JSON.stringify(plain));
      batches.push({ name: `${at.toISOString()} ${(serial += 1)}`, at, packed });
      while (batches.length > 1 && bytes() > bytesLimit) {
        const { name, at: oldest } = batches[0]!;
        warn(
          `usage of ${oldest.toISOString()} was not taken by Starbase and is given up: without a volume, ${Math.round(bytesLimit / 2 ** 20)} MiB are kept`,
        );
        drop(name);
      }
    },
    oldest() {
      const [first] = batches;
      return first && { name: first.name, snapshots: unpacked(first.packed) };
    },
    taken: drop,
    refused: drop,
  };
}

const unpacked = (packed: Buffer): readonly Snapshot[] =>
  (JSON.parse(gunzipSync(packed).toString()) as Omit<Snapshot, "snapshot_id">[]).map((snapshot) => ({
    snapshot_id: snapshotId(snapshot),
    ...snapshot,
  }));
