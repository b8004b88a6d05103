import type { InstanceUsage } from "../engine.ts";
import { usageOfProcessGroup } from "../group-usage.ts";
import type { Inspected } from "./container-state.ts";
import type { DockerApi } from "./docker-api.ts";

type Stats = {
  cpu_stats?: { cpu_usage?: { total_usage?: number } };
  memory_stats?: { usage?: number; stats?: Record<string, number> };
};

/**
 * What a running container uses; undefined once it has ended. The kernel is asked where it can be: the engine takes up
 * to a second for each container, and many together outlast the patience of who collects metrics.
 */
export async function usageOfContainer(
  api: DockerApi,
  { Id: id, State: state }: Inspected,
): Promise<InstanceUsage | undefined> {
  return (state.Pid > 0 ? usageOfProcessGroup(state.Pid, id) : undefined) ?? (await toldByEngine(api, id));
}

async function toldByEngine(api: DockerApi, id: string): Promise<InstanceUsage | undefined> {
  const { status, body } = await api.call("GET", `/containers/${id}/stats?stream=false&one-shot=true`);
  const { cpu_stats: cpu, memory_stats: memory } = (body ?? {}) as Stats;
  if (status !== 200 || memory?.usage === undefined) return undefined;
  const inactive = memory.stats?.["total_inactive_file"] ?? memory.stats?.["inactive_file"] ?? 0;
  return {
    cpuSeconds: (cpu?.cpu_usage?.total_usage ?? 0) / 1e9,
    memoryWorkingSetBytes: Math.max(0, memory.usage - inactive),
  };
}
