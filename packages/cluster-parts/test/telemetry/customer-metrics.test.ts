import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { until } from "@starform/std/retry";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { carried, everything } from "../samples.ts";
import { cadvisor, envoy, kubeStateMetrics, mine, routeOf, yours } from "./expositions.ts";
import { complaintsOf, freePort, hasVictoria, openVictoria, type Victoria } from "./victoria.ts";

const scrape = carried("vmagent", "scrape.yaml");
const rulesPath = fileURLToPath(
  new URL("../../../../deploy/region/vmalert/customer-metrics.yaml", import.meta.url),
);
type Job = Record<string, unknown> & { job_name: string };

/** The jobs as they are, but finding and authenticating: those need a cluster, relabelling does not. */
function jobsAt(address: string): string {
  const config = parse(scrape) as { scrape_configs: Job[] };
  const jobs = config.scrape_configs.map((job) => ({
    job_name: job.job_name,
    honor_labels: job["honor_labels"] ?? false,
    metrics_path: `/${job.job_name}`,
    static_configs: [{ targets: [address] }],
    metric_relabel_configs: job["metric_relabel_configs"],
  }));
  return stringify({ global: { scrape_interval: "1s", scrape_timeout: "1s" }, scrape_configs: jobs });
}

/** Says what a cluster's programs say; its counters grow with every scrape. */
async function openPrograms(): Promise<Server> {
  let n = 1;
  const server = createServer((request, response) => {
    n += 0.1;
    const text = { "/envoy": envoy(n), "/cadvisor": cadvisor(n), "/kube-state-metrics": kubeStateMetrics() }[
      request.url ?? ""
    ];
    response.writeHead(text ? 200 : 404, { "content-type": "text/plain" });
    response.end(text);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

describe.skipIf(!hasVictoria)("a cluster's customer metrics", () => {
  let victoria: Victoria;
  let programs: Server;
  beforeAll(async () => {
    victoria = await openVictoria();
    programs = await openPrograms();
    const config = join(victoria.dir, "scrape.yaml");
    writeFileSync(config, jobsAt(`127.0.0.1:${(programs.address() as AddressInfo).port}`));
    const args = everything()
      .filter(({ kind, metadata }) => kind === "Deployment" && metadata.name === "vmagent")
      .flatMap(
        ({ spec }) =>
          (spec as { template: { spec: { containers: { args: string[] }[] } } }).template.spec.containers[0]!
            .args,
      );
    victoria.run("vmagent", [
      `-httpListenAddr=127.0.0.1:${await freePort()}`,
      `-promscrape.config=${config}`,
      `-remoteWrite.url=${victoria.url}/api/v1/write`,
      `-remoteWrite.tmpDataPath=${victoria.dir}/agent`,
      "-remoteWrite.flushInterval=200ms",
      ...args.filter((arg) => arg.startsWith("-remoteWrite.label")),
    ]);
    victoria.run("vmalert", [
      `-rule=${rulesPath}`,
      `-datasource.url=${victoria.url}`,
      `-remoteWrite.url=${victoria.url}`,
      `-httpListenAddr=127.0.0.1:${await freePort()}`,
      "-evaluationInterval=1s",
      "-datasource.lookback=5s",
      "-remoteWrite.flushInterval=200ms",
    ]);
    await until(
      "the recorded series of a tenant",
      async () =>
        (await victoria.query(`container_network_transmit_bytes_total{project_id="${mine.project}"}`))[0],
      { withinMs: 90_000, everyMs: 250 },
    );
  });
  afterAll(async () => {
    programs?.close();
    await victoria?.[Symbol.asyncDispose]();
  });

  test("are scraped with a configuration that vmagent takes, and it refuses a wrong one", () => {
    expect(complaintsOf("vmagent", "scrape.yaml", scrape)).toBe("");
    expect(complaintsOf("vmagent", "scrape.yaml", scrape.replace("honor_labels", "honour_labels"))).toContain(
      "honour_labels",
    );
    const rules = readFileSync(rulesPath, "utf8");
    expect(complaintsOf("vmalert", "rules.yaml", rules)).toBe("");
    expect(complaintsOf("vmalert", "rules.yaml", rules.replace("label_move(", "label_move(("))).not.toBe("");
  });

  test("of the gateway say whose route it is, also of a further route", { timeout: 150_000 }, async () => {
    for (const [environment, further] of [
      ["production", undefined],
      ["staging-eu", "--2"],
    ] as const) {
      const route = routeOf(mine, environment, further);
      // A scrape of a second's time may be missed on a busy machine: the last one counts.
      const series = await until(
        `the requests of ${route}`,
        async () =>
          (
            await victoria.query(
              `last_over_time(envoy_cluster_upstream_rq_total{envoy_cluster_name="${route}"}[5m])`,
            )
          )[0],
        { withinMs: 60_000 },
      );
      expect(series.metric).toMatchObject({
        project_id: mine.project,
        service_id: mine.service,
        environment,
      });
    }
  });

  test("hold the names that are asked for and no others", { timeout: 150_000 }, async () => {
    const asked = [
      "container_cpu_usage_seconds_total",
      "container_memory_working_set_bytes",
      "container_network_receive_bytes_total",
      "container_network_transmit_bytes_total",
      "envoy_cluster_upstream_cx_rx_bytes_total",
      "envoy_cluster_upstream_cx_tx_bytes_total",
      "envoy_cluster_upstream_rq_time_bucket",
      "envoy_cluster_upstream_rq_time_count",
      "envoy_cluster_upstream_rq_time_sum",
      "envoy_cluster_upstream_rq_total",
      "envoy_cluster_upstream_rq_xx",
      "kube_pod_container_status_restarts_total",
      "kube_pod_labels",
    ];
    const scraped = /^(up|scrape_.+)$/;
    const held = async () =>
      (await victoria.query('count by (__name__) (last_over_time({__name__!=""}[5m]) keep_metric_names)'))
        .map(({ metric }) => metric["__name__"]!)
        .filter((name) => !scraped.test(name))
        .toSorted();
    await until(
      "every name was scraped",
      async () => {
        const names = await held();
        return asked.every((name) => names.includes(name));
      },
      { withinMs: 60_000 },
    );
    expect(await held()).toEqual(asked);
    expect(await victoria.query('{namespace!="",namespace!~"proj-.+"}')).toEqual([]);
    expect(await victoria.query('envoy_cluster_upstream_rq_total{envoy_cluster_name="xds_cluster"}')).toEqual(
      [],
    );
  });

  test("of containers have their tenant after the recording rules, and each counts once", async () => {
    const tenant = ({ project, service }: typeof mine) =>
      `{project_id="${project}",environment="production",service_id=~"${service}"}`;
    for (const name of [
      "container_cpu_usage_seconds_total",
      "container_memory_working_set_bytes",
      "container_network_receive_bytes_total",
      "container_network_transmit_bytes_total",
    ]) {
      const [own, other] = [
        await victoria.query(`${name}${tenant(mine)}`),
        await victoria.query(`${name}${tenant(yours)}`),
      ];
      expect([name, own.length, other.length]).toEqual([name, 1, 1]);
      expect(own[0]?.metric).toMatchObject({
        workspace_id: "w-1",
        pod: "svc-mine-1",
        region: "nyc3",
        cluster_id: "0198c0de-0000-7000-8000-0000000000c1",
      });
      expect(other[0]?.metric).toMatchObject({ pod: "svc-yours-1" });
    }
    const [memory] = await victoria.query(`sum(container_memory_working_set_bytes${tenant(mine)})`);
    expect(memory?.value).toBe(7e7);
  });

  test("of a counter keep growing, so that a rate can be taken", async () => {
    const rate = `sum(rate(container_cpu_usage_seconds_total{project_id="${mine.project}"}[1m]))`;
    const seen = await until(
      "a rate",
      async () => (await victoria.query(rate)).find(({ value }) => value > 0),
      { withinMs: 60_000 },
    );
    expect(seen.value).toBeGreaterThan(0);
  });
});
