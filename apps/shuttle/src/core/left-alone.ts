import type { DesiredService, StatusReport } from "@starform/contract/clusters";

/** Why a service is left as it is, and the way out. */
export const leftAloneWords = (service: Pick<DesiredService, "service_name">): string =>
  `it is left as it is: what holds it back on the cluster cannot be read; \`shuttle resume ${service.service_name}\` lets it go, \`shuttle rollback ${service.service_name} <version>\` holds it anew`;

/** What is told of it: what is seen, if anything is, and why nothing is done. */
export const leftAloneReport = (
  service: DesiredService,
  version: number,
  observed: StatusReport | undefined,
): StatusReport => ({
  service_id: service.service_id,
  environment: service.environment,
  deployment_id: service.provenance.deployment_id,
  observed_version: version,
  phase: "starting",
  ready_replicas: 0,
  desired_replicas: service.replicas,
  restarts: 0,
  serving_deployment_id: null,
  ...observed,
  reason: leftAloneWords(service),
  is_hold_unreadable: true,
});
