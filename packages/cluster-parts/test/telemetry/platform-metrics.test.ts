import { expect, test } from "vitest";
import { carried } from "../samples.ts";
import { relabel, seriesOf } from "./alloy-relabel.ts";
import { cadvisor, envoy, kubeStateMetrics, mine, yours } from "./expositions.ts";

const shuttle = `# TYPE starform_reconcile_errors_total counter
starform_reconcile_errors_total 1
starform_informer_last_event_timestamp_seconds{resource="pods"} 1790841600
container_cpu_usage_seconds_total{project_id="${mine.project}",environment="production",service_id="${mine.service}",instance="i",workspace_id="w-1"} 3
`;
const kept = relabel(carried("alloy", "config.alloy"), "platform_only");
const all = [shuttle, envoy(), kubeStateMetrics(), cadvisor()].flatMap(seriesOf);
const leaving = all.map(kept).filter((series) => series !== undefined);

test("nothing that names a customer, a project or a service leaves for the platform's monitoring", () => {
  expect(all.length).toBeGreaterThan(50);
  const words = JSON.stringify(leaving);
  for (const id of [mine.project, mine.service, yours.project, yours.service])
    for (const form of [id, id.replaceAll("-", "")]) expect(words).not.toContain(form);
  for (const word of ["proj-", "project_id", "service_id", "workspace_id", "label_starform_io"])
    expect(words).not.toContain(word);
});

test("what alerts are made of does leave", () => {
  expect([...new Set(leaving.map(({ __name__ }) => __name__))].toSorted()).toEqual([
    "envoy_http_downstream_rq_xx",
    "envoy_server_days_until_first_cert_expiring",
    "envoy_server_live",
    "kube_deployment_status_replicas_available",
    "kube_node_status_condition",
    "kube_pod_container_status_restarts_total",
    "kube_pod_labels",
    "starform_informer_last_event_timestamp_seconds",
    "starform_reconcile_errors_total",
  ]);
});
