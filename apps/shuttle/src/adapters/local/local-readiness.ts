import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Readiness } from "../../core/cluster.ts";
import type { ServiceKey } from "../../core/service-key.ts";
import { instanceLabel } from "./docker/container-spec.ts";
import { filters, type DockerApi } from "./docker/docker-api.ts";
import { instanceFiles } from "./process/instance-files.ts";
import { serviceMemories } from "./service-memory.ts";

/** Of each service whose instances can be seen: what Shuttle had in the gateway's table last and still runs. */
function readinessOf(
  dir: string,
  runs: (id: string) => boolean | undefined,
): ReadonlyMap<ServiceKey, Readiness> {
  const memories = existsSync(join(dir, "services")) ? serviceMemories(join(dir, "services")).all() : [];
  return new Map(
    memories
      .filter(({ serving }) => serving.every((id) => runs(id) !== undefined))
      .map(({ key, serving }) => [key, { ready: serving.filter(runs).length }]),
  );
}

/** Where instances are processes of this machine. */
export function processReadiness(dir: string): ReadonlyMap<ServiceKey, Readiness> {
  if (!existsSync(join(dir, "instances"))) return new Map();
  const files = instanceFiles(join(dir, "instances"));
  const ids = new Set(files.ids());
  return readinessOf(dir, (id) => (ids.has(id) ? files.livePid(id) !== undefined : undefined));
}

/** Where they are containers of an engine. */
export async function dockerReadiness(
  dir: string,
  api: DockerApi,
  clusterId: string,
): Promise<ReadonlyMap<ServiceKey, Readiness>> {
  const label = ["starform.io/managed-by=shuttle", `starform.io/cluster-id=${clusterId}`, instanceLabel];
  const { body } = await api.call("GET", `/containers/json?all=true&${filters({ label })}`);
  const containers = body as { readonly Labels: Record<string, string>; readonly State: string }[];
  const seen = new Map(containers.map((one) => [one.Labels[instanceLabel], one.State === "running"]));
  return readinessOf(dir, (id) => seen.get(id));
}
