import type { RunningPod } from "../src/core/cluster.ts";

/** A pod that runs, whose tenant has fixed ids. */
export const aPod = (own: Partial<RunningPod> = {}): RunningPod => ({
  podId: "web-1",
  workspaceId: "11111111-0000-4000-8000-000000000000",
  projectId: "22222222-0000-4000-8000-000000000000",
  environment: "production",
  serviceId: "33333333-0000-4000-8000-000000000000",
  tier: "nova",
  phase: "Running",
  cpuRequestMillis: 500,
  memoryRequestBytes: 2 ** 30,
  startedAtMs: 0,
  ...own,
});
