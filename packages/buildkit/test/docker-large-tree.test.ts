import { execFile } from "node:child_process";
import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { openDockerEngine, requireEngineInCi } from "@starform/testkit/docker-engine";
import { describe, expect, test } from "vitest";
import type { SentFiles } from "../src/file-sync.ts";
import { aFolder } from "./folder.ts";

const [mebibyte, large, small] = [2 ** 20, [500, 400, 200], 4_000];

describe.skipIf(!requireEngineInCi())("a source of more than a gigabyte", () => {
  test(
    "is sent in little memory, and when one file has changed only that travels",
    { timeout: 300_000 },
    async () => {
      await using engine = await openDockerEngine();
      const dir = aTree();
      const script = fileURLToPath(new URL("sync-tree.ts", import.meta.url));
      const { stdout } = await promisify(execFile)(process.execPath, [script, engine.socketPath, dir]);
      const { sent, peaks } = JSON.parse(stdout) as { sent: SentFiles[]; peaks: [number, number, number] };
      const bytes = large.reduce((sum, size) => sum + size * mebibyte, 0);
      expect(bytes).toBeGreaterThan(2 ** 30);
      expect(sent).toEqual([
        { files: large.length + small + 1, bytes: bytes + small * 1_000 + 1_000 },
        { files: 1, bytes: 5_000 },
      ]);
      // A tenth of the tree at most, whatever its files' sizes.
      expect(peaks[2] - peaks[0]).toBeLessThan(bytes / 10);
    },
  );
});

/** Files with holes: they are read and sent like any other, and take no room here. */
function aTree(): string {
  const dir = aFolder({ changed: "x".repeat(1_000) });
  for (const [at, size] of large.entries()) {
    writeFileSync(join(dir, `large-${at}`), "");
    truncateSync(join(dir, `large-${at}`), size * mebibyte);
  }
  for (let at = 0; at < small; at += 1) {
    const folder = join(dir, `folder-${at % 40}`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `file-${at}`), "y".repeat(1_000));
  }
  return dir;
}
