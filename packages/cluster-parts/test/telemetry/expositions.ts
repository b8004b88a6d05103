/** What the scraped programs of one cluster say, with the names of their documentation: two tenants, and what is nobody's. */
export const mine = {
  project: "11111111-1111-7111-8111-111111111111",
  service: "33333333-3333-7333-8333-333333333333",
};
export const yours = {
  project: "22222222-2222-7222-8222-222222222222",
  service: "44444444-4444-7444-8444-444444444444",
};

const hex = (id: string): string => id.replaceAll("-", "");
export const routeOf = ({ project, service }: typeof mine, environment: string, part = ""): string =>
  `httproute/proj-shop/${hex(project)}${hex(service)}${part}-${environment}/rule/0`;

const cluster = (name: string, factor: number): string =>
  [
    `envoy_cluster_upstream_rq_total{envoy_cluster_name="${name}"} ${120 * factor}`,
    `envoy_cluster_upstream_rq_xx{envoy_response_code_class="2",envoy_cluster_name="${name}"} ${110 * factor}`,
    `envoy_cluster_upstream_rq_xx{envoy_response_code_class="5",envoy_cluster_name="${name}"} ${10 * factor}`,
    `envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name="${name}",le="5"} ${30 * factor}`,
    `envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name="${name}",le="+Inf"} ${120 * factor}`,
    `envoy_cluster_upstream_rq_time_sum{envoy_cluster_name="${name}"} ${3_120 * factor}`,
    `envoy_cluster_upstream_rq_time_count{envoy_cluster_name="${name}"} ${120 * factor}`,
    `envoy_cluster_upstream_cx_rx_bytes_total{envoy_cluster_name="${name}"} ${734_003 * factor}`,
    `envoy_cluster_upstream_cx_tx_bytes_total{envoy_cluster_name="${name}"} ${91_230 * factor}`,
    `envoy_cluster_membership_healthy{envoy_cluster_name="${name}"} 2`,
  ].join("\n");

/** Of one proxy. */
export const envoy = (factor = 1): string =>
  `${[
    cluster(routeOf(mine, "production"), factor),
    cluster(routeOf(mine, "staging-eu", "--2"), factor),
    cluster(routeOf(yours, "production"), factor),
    cluster("xds_cluster", factor),
    `envoy_http_downstream_rq_xx{envoy_response_code_class="5",envoy_http_conn_manager_prefix="http-10080"} ${4 * factor}`,
    "envoy_server_live 1",
    "envoy_server_days_until_first_cert_expiring 5000",
  ].join("\n")}\n`;

type Pod = { readonly namespace: string; readonly pod: string; readonly container: string };
const containers = ({ namespace, pod, container }: Pod, n: number): string => {
  const id = `/kubepods.slice/${pod}`;
  const row = (name: string, of: string, value: number, more = "") =>
    `${name}{container="${of}",${more}id="${id}/${of}",image="registry.example/${container}",name="${of && `${pod}-x`}",namespace="${namespace}",pod="${pod}"} ${value}`;
  return [
    row("container_cpu_usage_seconds_total", container, 12.5 * n, 'cpu="total",'),
    row("container_cpu_usage_seconds_total", "", 12.6 * n, 'cpu="total",'),
    row("container_memory_working_set_bytes", container, 7e7),
    row("container_memory_working_set_bytes", "", 7.1e7),
    row("container_network_receive_bytes_total", "", 91_230 * n, 'interface="eth0",'),
    row("container_network_transmit_bytes_total", "", 734_003 * n, 'interface="eth0",'),
    row("container_fs_usage_bytes", container, 1e6, 'device="/dev/sda",'),
  ].join("\n");
};

export const pods: readonly Pod[] = [
  { namespace: "proj-shop", pod: "svc-mine-1", container: "app" },
  { namespace: "proj-blog", pod: "svc-yours-1", container: "app" },
  { namespace: "kube-system", pod: "coredns-1", container: "coredns" },
];
/** Of one node's kubelet. */
export const cadvisor = (n = 1): string => `${pods.map((pod) => containers(pod, n)).join("\n")}\n`;

const podLabels = ({ namespace, pod }: Pod, { project, service }: typeof mine): string =>
  `kube_pod_labels{namespace="${namespace}",pod="${pod}",uid="u-${pod}",label_starform_io_project_id="${project}",label_starform_io_service_id="${service}",label_starform_io_environment="production",label_starform_io_workspace_id="w-1",label_starform_io_managed_by="shuttle",label_starform_io_service_name="web"} 1`;
export const kubeStateMetrics = (): string =>
  `${[
    podLabels(pods[0]!, mine),
    podLabels(pods[1]!, yours),
    'kube_pod_labels{namespace="kube-system",pod="coredns-1",uid="u-coredns-1"} 1',
    'kube_pod_container_status_restarts_total{namespace="proj-shop",pod="svc-mine-1",uid="u",container="app"} 2',
    'kube_pod_container_status_restarts_total{namespace="starform-system",pod="shuttle-1",uid="u",container="shuttle"} 0',
    'kube_deployment_status_replicas_available{namespace="starform-system",deployment="shuttle"} 1',
    'kube_deployment_status_replicas_available{namespace="proj-shop",deployment="svc-mine"} 1',
    'kube_node_status_condition{node="n1",condition="Ready",status="true"} 1',
    'kube_namespace_labels{namespace="proj-shop",label_starform_io_project_id="11111111-1111-7111-8111-111111111111"} 1',
  ].join("\n")}\n`;
