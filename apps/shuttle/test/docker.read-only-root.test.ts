import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDockerEngine as startDocker, requireEngineInCi } from "@starform/testkit/docker-engine";
import { describe, expect, test } from "vitest";
import { openDockerEngine } from "../src/adapters/local/docker/docker-engine.ts";
import { dockerImages } from "./docker-image.ts";

describe.skipIf(!requireEngineInCi())("an image that can do with a root it may only read", () => {
  test("gets one, and may write to /tmp", { timeout: 300_000 }, async () => {
    await using stack = new AsyncDisposableStack();
    const dir = mkdtempSync(join(tmpdir(), "starform-read-only-"));
    stack.defer(() => rmSync(dir, { recursive: true, force: true }));
    const { socketPath } = stack.use(await startDocker());
    const image = await dockerImages(socketPath, join(dir, "bases"))({ file: "" }, null);
    const engine = stack.use(await openDockerEngine({ socketPath, clusterId: "c", warn: () => undefined }));
    const saidBy = async (id: string, hasReadOnlyRoot: boolean): Promise<string> => {
      const started = await engine.start({
        id,
        labels: { "starform.io/managed-by": "shuttle", "starform.io/cluster-id": "c" },
        image,
        // In one stream: lines of two have no order between them.
        command: "exec 2>&1; touch /app/new && echo app written; touch /tmp/new && echo tmp written",
        env: {},
        port: null,
        limits: { cpuMillis: 1_000, memoryBytes: 2 ** 27, processesMax: 64 },
        hasReadOnlyRoot,
        volumes: [],
      });
      expect(started.kind).toBe("started");
      let text = "";
      for await (const { bytes } of engine.output(id, undefined, AbortSignal.timeout(60_000)))
        text += Buffer.from(bytes).toString();
      return text;
    };
    expect(await saidBy("may-write", false)).toBe("app written\ntmp written\n");
    expect(await saidBy("reads-only", true)).toMatch(/Read-only file system\ntmp written\n$/);
  });
});
