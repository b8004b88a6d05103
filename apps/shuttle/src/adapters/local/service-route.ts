import type { DesiredService } from "@starform/contract/clusters";
import type { GatewayDoor, GatewayRoute } from "@starform/contract/gateway";
import { routeName } from "@starform/contract/hosts";
import type { LiveInstance } from "./live-instance.ts";

/** The gateway's view of a service; undefined for one that serves nobody. */
export function serviceRoute(
  service: DesiredService,
  instances: readonly LiveInstance[],
  { state, reason, door }: { state: GatewayRoute["state"]; reason: string | null; door: GatewayDoor | null },
): GatewayRoute | undefined {
  if (service.service_type !== "web") return undefined;
  const hostnames = [
    ...new Set(
      [service.hostname, ...service.hostnames]
        .filter((host) => host !== null)
        .map((host) => host.toLowerCase()),
    ),
  ];
  if (hostnames.length === 0 && !door) return undefined;
  return {
    name: routeName(service.project_id, service.service_id, service.environment),
    namespace: service.namespace,
    hostnames,
    ...(door ? { inside: { name: service.service_name, door } } : {}),
    upstreams: instances.flatMap(({ id, host, instance }) =>
      instance.address ? [{ id, host, port: instance.address.port }] : [],
    ),
    state,
    ...(reason === null ? {} : { reason: reason.slice(0, 2_000) }),
    workspace_id: service.workspace_id,
    project_id: service.project_id,
    environment: service.environment,
    service_id: service.service_id,
    service_name: service.service_name,
  };
}
