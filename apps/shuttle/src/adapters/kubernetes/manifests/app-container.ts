import type { DesiredService } from "@starform/contract/clusters";
import type { PodEnding } from "./drain.ts";
import {
  appContainerName,
  configMapName,
  podVolumeName,
  scratchVolumeName,
  varGroupSecretName,
} from "./names.ts";
import { containerSecurity } from "./pod-security.ts";
import { mainPort, portsOf } from "./ports.ts";
import { probesOf } from "./probes.ts";
import { bytes, cpu, gib, mib } from "./quantity.ts";

/** What an app may write outside of its volumes: its own layer, /tmp and its log lines together. */
export const ephemeralStorage = { request: bytes(256 * mib), limit: bytes(4 * gib) };

/** The one container of a service's pods. A cron has no probes: it is well if it ends well. */
export const appContainer = (
  service: DesiredService,
  lifecycle: PodEnding["lifecycle"],
): Record<string, unknown> => ({
  name: appContainerName,
  image: service.image,
  imagePullPolicy: "IfNotPresent",
  ...(service.command === null ? {} : { command: ["/bin/sh", "-c", unexpanded(service.command)] }),
  ...variables(service),
  ...ports(service),
  resources: resources(service),
  ...(service.service_type === "cron" ? {} : probesOf(service)),
  ...(lifecycle ? { lifecycle } : {}),
  securityContext: containerSecurity(service),
  // The end of the log is kept with a crash's exit code, so that the reason can be told without reading logs.
  terminationMessagePolicy: "FallbackToLogsOnError",
  volumeMounts: [
    { name: scratchVolumeName, mountPath: "/tmp" },
    ...service.volumes.map(({ name, mount_path }) => ({ name: podVolumeName(name), mountPath: mount_path })),
  ],
});

/** As the shell is to have it: the kubelet reads `$$` and `$(NAME)` of a container's command as its own. */
const unexpanded = (command: string): string => command.replaceAll(/\$(?=[$(])/g, "$$$$");

/** Own variables, then the groups in order: a later source wins. What the platform alone knows wins over all. */
function variables(service: DesiredService): Record<string, unknown> {
  const port = service.service_type === "web" ? mainPort(service) : undefined;
  const podName = { fieldRef: { fieldPath: "metadata.name" } };
  return {
    envFrom: [
      { configMapRef: { name: configMapName(service) } },
      ...service.var_groups.map((group) => ({ secretRef: { name: varGroupSecretName(service, group) } })),
    ],
    env: [
      { name: "STARFORM_INSTANCE_ID", valueFrom: podName },
      { name: "STARFORM_REPLICA_ID", valueFrom: podName },
      ...(port === undefined ? [] : [{ name: "PORT", value: String(port) }]),
    ],
  };
}

function ports(service: DesiredService): Record<string, unknown> {
  const all = portsOf(service);
  if (all.length === 0) return {};
  return { ports: all.map(({ container_port, protocol }) => ({ containerPort: container_port, protocol })) };
}

/** Requests are what is billed, limits what is had: both are the tier. */
function resources({ resources: { cpu_millis, memory_bytes } }: DesiredService): Record<string, unknown> {
  const tier = { cpu: cpu(cpu_millis), memory: bytes(memory_bytes) };
  return {
    requests: { ...tier, "ephemeral-storage": ephemeralStorage.request },
    limits: { ...tier, "ephemeral-storage": ephemeralStorage.limit },
  };
}
