import type { InstanceSpec } from "../engine.ts";

/** Marks what is an instance of ours, beside the labels the orchestrator keeps. */
export const instanceLabel = "starform.io/instance";
/** What the app was told in PORT. */
export const portLabel = "starform.io/port";

const logFile = { "max-size": "16m", "max-file": "4" };

/**
 * A container for one instance: nothing it can gain, bounded in memory, processor, processes and log. It is not
 * restarted by the engine: that is the orchestrator's to decide.
 */
export function containerSpec(
  spec: InstanceSpec,
  network: { name: string; alias: string | undefined; hosts: readonly string[]; publishes: boolean },
): Record<string, unknown> {
  const { limits, port } = spec;
  return {
    Hostname: spec.id,
    Image: imageOf(spec.image),
    Env: Object.entries({ ...spec.env, ...(port === null ? {} : { PORT: String(port) }) }).map(
      ([name, value]) => `${name}=${value}`,
    ),
    Labels: { ...spec.labels, [instanceLabel]: spec.id, [portLabel]: port === null ? "" : String(port) },
    ...(spec.command === null ? {} : { Entrypoint: ["/bin/sh", "-c"], Cmd: [spec.command] }),
    ...(port === null ? {} : { ExposedPorts: { [`${port}/tcp`]: {} } }),
    HostConfig: {
      NetworkMode: network.name,
      ExtraHosts: network.hosts,
      Memory: limits.memoryBytes,
      MemorySwap: limits.memoryBytes,
      NanoCpus: limits.cpuMillis * 1e6,
      PidsLimit: limits.processesMax,
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges"],
      Init: true,
      ...(spec.hasReadOnlyRoot ? { ReadonlyRootfs: true, Tmpfs: { "/tmp": "" } } : {}),
      RestartPolicy: { Name: "no" },
      LogConfig: { Type: "json-file", Config: logFile },
      Mounts: spec.volumes.map(({ name, mountPath }) => ({
        Type: "volume",
        Source: name,
        Target: mountPath,
      })),
      ...(port !== null && network.publishes
        ? { PortBindings: { [`${port}/tcp`]: [{ HostIp: "127.0.0.1", HostPort: "" }] } }
        : {}),
    },
    NetworkingConfig: {
      EndpointsConfig: { [network.name]: network.alias ? { Aliases: [network.alias] } : {} },
    },
  };
}

/** Images made here are known to the engine by their id, which is the digest of their reference. */
export const imageOf = (image: string): string =>
  image.startsWith("starform.local/") ? image.slice(image.lastIndexOf("@") + 1) : image;
