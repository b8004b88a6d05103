import { resolve } from "node:path";
import type { Config } from "../config.ts";
import type { Cluster } from "../core/cluster.ts";
import { httpGatewayAdmin, noGateway, type GatewayAdmin } from "../adapters/gateway/gateway-admin.ts";
import type { Engine } from "../adapters/local/engine.ts";
import { openLocalCluster } from "../adapters/local/local-cluster.ts";
import type { ClusterDeps } from "./open-cluster.ts";

/** Apps as containers or processes of this machine. */
export async function openLocal(config: Config, deps: ClusterDeps): Promise<Cluster> {
  const gateway = config.gateway ? httpGatewayAdmin(config.gateway) : noGateway;
  await using stack = new AsyncDisposableStack();
  const cluster = await openLocalCluster({
    engine: stack.use(await openEngine(config, gateway, deps)),
    gateway,
    sink: deps.sink,
    clusterId: config.clusterId,
    dir: resolve(config.dir),
    warn: deps.warn,
    onClose: config.onStop,
  });
  // From here the cluster closes its engine itself.
  stack.move();
  return cluster;
}

/** Each engine is loaded where it is used only. */
async function openEngine(
  config: Config,
  { openDoor }: GatewayAdmin,
  { warn }: ClusterDeps,
): Promise<Engine> {
  if (config.runtime === "docker") {
    const { openDockerEngine } = await import("../adapters/local/docker/docker-engine.ts");
    const socketPath = config.dockerSocket ?? "/var/run/docker.sock";
    return openDockerEngine({ socketPath, clusterId: config.clusterId, warn, openDoor });
  }
  const { openProcessEngine } = await import("../adapters/local/process/process-engine.ts");
  return openProcessEngine({
    dir: resolve(config.dir),
    imagesDir: resolve(config.imagesDir),
    searchPath: config.searchPath,
    warn,
  });
}
