/** One value of one series, with whose it is. Ids are without hyphens, as in a route's name. */
export type Sample = {
  readonly name: string;
  readonly project: string;
  readonly environment: string;
  readonly service: string;
  /** What tells its series from the others of that name: all its labels, as they were told. */
  readonly series: string;
  /** The bucket of a histogram or the class of an answer; empty for the others. */
  readonly part: string;
  readonly tsMs: number;
  readonly value: number;
};

/** What questions are asked about; everything else that processes tell is left out. */
const kept = new Set([
  "envoy_cluster_upstream_rq_total",
  "envoy_cluster_upstream_rq_xx",
  "envoy_cluster_upstream_rq_time_bucket",
  "envoy_cluster_upstream_cx_rx_bytes_total",
  "envoy_cluster_upstream_cx_tx_bytes_total",
  "container_cpu_usage_seconds_total",
  "container_memory_working_set_bytes",
  "container_network_receive_bytes_total",
  "container_network_transmit_bytes_total",
]);

const line = /^([A-Za-z_:][\w:]*)\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\}\s+(\S+)(?:\s+(-?\d+))?\s*$/;
const label = /([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"/g;
const route = /^httproute\/[^/]+\/([0-9a-f]{32})([0-9a-f]{32})(?:--\d+)?-([^/]+)\/rule\/\d+$/;

/** The samples in Prometheus' text that belong to a service; `nowMs` for those that do not say their time. */
export function parseSamples(text: string, nowMs: number): Sample[] {
  return text.split("\n").flatMap((row) => {
    const [, name = "", labels = "", value = "", ts] = line.exec(row) ?? [];
    if (!kept.has(name)) return [];
    const values = new Map(
      [...labels.matchAll(label)].map(([, key, text]) => [key ?? "", plain(text ?? "")]),
    );
    const owner = ownerOf(values);
    const number = Number(value);
    if (!owner || !Number.isFinite(number)) return [];
    const part = values.get("le") ?? values.get("envoy_response_code_class") ?? "";
    return [
      { name, ...owner, series: labels, part, tsMs: ts === undefined ? nowMs : Number(ts), value: number },
    ];
  });
}

function ownerOf(values: ReadonlyMap<string, string>) {
  const [, project, service, environment] = route.exec(values.get("envoy_cluster_name") ?? "") ?? [];
  if (project && service && environment) return { project, environment, service };
  const own = ["project_id", "environment", "service_id"].map((key) => values.get(key) ?? "");
  if (own.some((value) => value === "")) return undefined;
  return { project: hexOf(own[0]!), environment: own[1]!, service: hexOf(own[2]!) };
}

const hexOf = (id: string): string => id.replaceAll("-", "");
const plain = (text: string): string =>
  text.replace(/\\(.)/g, (_, letter: string) => (letter === "n" ? "\n" : letter));
