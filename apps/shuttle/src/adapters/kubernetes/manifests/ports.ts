import type { DesiredService } from "@starform/contract/clusters";
import { containerPort } from "@starform/contract/hosts";

export type Port = DesiredService["ports"][number];

/** Each port once; a web service that names none listens where PORT says. */
export function portsOf(service: DesiredService): readonly Port[] {
  const named: Port[] =
    service.ports.length === 0 && service.service_type === "web"
      ? [{ container_port: containerPort, protocol: "TCP" }]
      : service.ports;
  return [...new Map(named.map((port) => [`${port.protocol}/${port.container_port}`, port])).values()];
}

/** The port that takes requests and probes; undefined for an app without one. */
export const mainPort = (service: DesiredService): number | undefined =>
  portsOf(service).find((port) => port.protocol === "TCP")?.container_port;
