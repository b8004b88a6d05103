import { resolve } from "node:path";
import type { Config } from "../config.ts";
import type { Cluster } from "../core/cluster.ts";
import { httpGatewayAdmin, noGateway, type GatewayAdmin } from "../adapters/gateway/gateway-admin.ts";
import { openDockerEngine } from "../adapters/local/docker/docker-engine.ts";
import type { Engine } from "../adapters/local/engine.ts";
import { openLocalCluster } from "../adapters/local/local-cluster.ts";
import type { LogSink } from "../adapters/local/output-pump.ts";
import { openProcessEngine } from "../adapters/local/process/process-engine.ts";
import { openKubernetes } from "./open-kubernetes.ts";

type Deps = { readonly sink: LogSink; readonly warn: (sentence: string) => void };

/** Chooses what runs the apps. Another cluster joins here, behind the same seam. */
export async function openCluster(config: Config, deps: Deps): Promise<Cluster> {
  if (config.runtime === "kubernetes") return openKubernetes(config, deps);
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

async function openEngine(config: Config, { openDoor }: GatewayAdmin, { warn }: Deps): Promise<Engine> {
  if (config.runtime === "docker") {
    const socketPath = config.dockerSocket ?? "/var/run/docker.sock";
    return openDockerEngine({ socketPath, clusterId: config.clusterId, warn, openDoor });
  }
  return openProcessEngine({
    dir: resolve(config.dir),
    imagesDir: resolve(config.imagesDir),
    searchPath: config.searchPath,
    warn,
  });
}
