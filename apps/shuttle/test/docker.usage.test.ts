import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { openDockerEngine as startDocker, requireEngineInCi } from "@starform/testkit/docker-engine";
import { until } from "@starform/std/retry";
import { expect, test } from "vitest";
import { dockerApi } from "../src/adapters/local/docker/docker-api.ts";
import { openDockerEngine } from "../src/adapters/local/docker/docker-engine.ts";
import { instanceSpec } from "../src/adapters/local/instance-spec.ts";
import { aService } from "./desired.ts";
import { dockerImages } from "./docker-image.ts";
import { sampleApp } from "./sample-app.ts";

test.skipIf(!requireEngineInCi())(
  "what containers use is read from the kernel, however busy the engine is",
  { timeout: 120_000 },
  async () => {
    await using stack = new AsyncDisposableStack();
    const { socketPath } = stack.use(await startDocker());
    const engine = stack.use(await openDockerEngine({ socketPath, clusterId: "c", warn: () => undefined }));
    const image = await dockerImages(socketPath, join(dirname(socketPath), "bases"))(
      sampleApp,
      "node server.mjs",
    );
    const spec = instanceSpec({
      service: aService({ image }),
      clusterId: "c",
      slot: 0,
      machineCpuMillis: 2_000,
    });
    expect(await engine.start(spec)).toMatchObject({ kind: "started" });
    const told = async () => {
      const { body } = await dockerApi(socketPath).call(
        "GET",
        `/containers/${spec.id}/stats?stream=false&one-shot=true`,
      );
      return (
        (body as { cpu_stats: { cpu_usage: { total_usage: number } } }).cpu_stats.cpu_usage.total_usage / 1e9
      );
    };
    const before = await told();
    const usage = async () => (await engine.usage()).get(spec.id)!;
    await until("the app to fill its memory", async () => (await usage()).memoryWorkingSetBytes > 8 << 20);
    const seen = await usage();
    expect(seen.cpuSeconds).toBeGreaterThanOrEqual(before);
    expect(await told()).toBeGreaterThanOrEqual(seen.cpuSeconds);

    // With its containerd held still the engine goes on answering, but for its own count.
    const containerd = processOf(`${dirname(socketPath)}/exec/containerd/`);
    process.kill(containerd, "SIGSTOP");
    try {
      expect((await usage()).cpuSeconds).toBeGreaterThanOrEqual(seen.cpuSeconds);
    } finally {
      process.kill(containerd, "SIGCONT");
    }
  },
);

/** The containerd that dockerd started with its settings in that folder. */
function processOf(dir: string): number {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const found = pids.find((pid) => {
    const words = commandLine(pid).split("\0");
    return words.includes("--config") && words.some((word) => word.startsWith(dir));
  });
  return Number(found);
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}
