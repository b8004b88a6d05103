/** The tenant key of a service in one environment: `<project id>/<environment>/<service id>`. */
export type ServiceKey = string;

/** Stands for what a cluster has once, where keys of services are worked on. */
export const clusterKey: ServiceKey = "cluster";

export const keyOf = (service: {
  readonly project_id: string;
  readonly environment: string;
  readonly service_id: string;
}): ServiceKey => `${service.project_id}/${service.environment}/${service.service_id}`;

export function partsOf(key: ServiceKey): { projectId: string; environment: string; serviceId: string } {
  const [projectId = "", environment = "", serviceId = ""] = key.split("/");
  return { projectId, environment, serviceId };
}
