import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { openBuildKit } from "@starform/buildkit/client";
import { dockerTransport } from "@starform/buildkit/transport";
import { openDockerEngine, requireEngineInCi } from "@starform/testkit/docker-engine";
import { describe, expect, test } from "vitest";
import { pruneCache } from "../src/adapters/buildkit/builder-pool.ts";

describe.skipIf(!requireEngineInCi())("a builder's cache", () => {
  test(
    "is pruned to its size, what was used last staying, and of what was not used for too long",
    { timeout: 120_000 },
    async () => {
      await using stack = new AsyncDisposableStack();
      const dir = await mkdtemp(path.join(tmpdir(), "builder-cache-"));
      stack.defer(() => rm(dir, { recursive: true, force: true }));
      const { socketPath } = stack.use(await openDockerEngine());
      const transport = dockerTransport(socketPath);
      const client = stack.use(await openBuildKit(transport));
      await writeFile(path.join(dir, "Dockerfile"), "FROM scratch\nCOPY large /\n");
      const usedBytes = async () =>
        (await client.diskUsage()).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
      for (let round = 0; round < 3; round += 1) {
        await writeFile(path.join(dir, "large"), randomBytes(30_000_000));
        const source = { frontend: "dockerfile.v0", attrs: { cmdline: "dockerfile.v0" } };
        const dirs = { context: { path: dir }, dockerfile: { path: dir } };
        await client.solve({ source, services: { sharedKey: `round ${round}`, dirs } });
      }
      expect(await usedBytes()).toBeGreaterThan(90_000_000);
      await pruneCache(transport, { keepBytes: 70_000_000 });
      expect(await usedBytes()).toBeLessThan(70_000_000);
      expect(await usedBytes()).toBeGreaterThan(0);
      await pruneCache(transport, { keepBytes: 70_000_000, keepMs: 1 });
      expect(await usedBytes()).toBe(0);
    },
  );
});
