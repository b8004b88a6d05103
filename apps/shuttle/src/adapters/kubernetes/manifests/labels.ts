import type { DesiredService } from "@starform/contract/clusters";

type Labels = Readonly<Record<string, string>>;

export const prefix = "starform.io/";
/** What the informers ask for. */
export const managedBySelector = `${prefix}managed-by=shuttle`;
export const namespaceRole = `${prefix}namespace-role`;

const prefixed = (labels: Labels): Labels =>
  Object.fromEntries(Object.entries(labels).map(([name, value]) => [prefix + name, value]));

/** Of what serves the whole cluster. */
export const clusterLabels = (clusterId: string): Labels =>
  prefixed({ "managed-by": "shuttle", "cluster-id": clusterId });

/** Of what serves a whole project. */
export const projectLabels = (
  project: Pick<DesiredService, "workspace_id" | "project_id">,
  clusterId: string,
): Labels => ({
  ...clusterLabels(clusterId),
  ...prefixed({ "workspace-id": project.workspace_id, "project-id": project.project_id }),
});

/** Of what serves an environment. */
export const environmentLabels = (
  place: Pick<DesiredService, "workspace_id" | "project_id" | "environment">,
  clusterId: string,
): Labels => ({ ...projectLabels(place, clusterId), ...prefixed({ environment: place.environment }) });

/** Of everything that belongs to one service in one environment. */
export const serviceLabels = (service: DesiredService, clusterId: string): Labels => ({
  ...environmentLabels(service, clusterId),
  ...prefixed({
    "service-id": service.service_id,
    "service-name": service.service_name,
    "service-type": service.service_type,
    tier: service.tier,
  }),
});

export const varGroupLabel = (varGroupId: string): Labels => prefixed({ "var-group-id": varGroupId });

/** Finds the pods of an environment; and of one service in it. A selector can never be changed. */
export const environmentSelector = (place: Pick<DesiredService, "project_id" | "environment">): Labels =>
  prefixed({ "project-id": place.project_id, environment: place.environment });
export const podSelector = (
  service: Pick<DesiredService, "project_id" | "environment" | "service_id">,
): Labels => ({ ...environmentSelector(service), ...prefixed({ "service-id": service.service_id }) });
