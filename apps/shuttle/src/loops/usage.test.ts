import { expect, test } from "vitest";
import type { PodUsage } from "../core/cluster.ts";
import { shuttleMetrics } from "../core/metrics.ts";
import { metricsText } from "./usage.ts";

const pod: PodUsage = {
  podId: "i",
  workspaceId: "w",
  projectId: "p",
  environment: "production",
  serviceId: "s",
  cpuSeconds: 1.5,
  memoryWorkingSetBytes: 1_000,
};

test("Shuttle's own figures are told even while nobody can tell what the apps use", async () => {
  const warnings: string[] = [];
  const answers: (() => Promise<readonly PodUsage[]>)[] = [
    async () => [pod],
    () => new Promise(() => undefined),
    () => Promise.reject(new Error("the engine is away")),
  ];
  const cluster = { usage: () => answers.shift()!() };
  const metrics = shuttleMetrics();
  const text = metricsText({ cluster, metrics, warn: (it) => void warnings.push(it), withinMs: 1 });
  metrics.count("starform_snapshots_sent_total", 7);
  expect(await text()).toContain('service_id="s",instance="i",workspace_id="w"} 1.5');
  for (const errors of [1, 2]) {
    const told = await text();
    expect(told).toContain("starform_snapshots_sent_total 7");
    expect(told).toContain(`starform_informer_watch_errors_total{resource="usage"} ${errors}`);
    expect(told).not.toContain("container_cpu_usage_seconds_total{");
  }
  expect(warnings).toHaveLength(1);
});
