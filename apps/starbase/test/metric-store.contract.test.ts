import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "@starform/std/retry";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { victoriaMetricStore } from "../src/adapters/victoriametrics/metric-store.ts";
import { noMetricStore } from "../src/adapters/victoriametrics/no-metric-store.ts";
import type { MetricName, MetricScope } from "../src/ports/metric-store.ts";

const canRun = process.env.CI ? true : spawnSync("victoria-metrics", ["-version"]).error === undefined;
const [mine, yours] = ["11111111-1111-7111-8111-111111111111", "22222222-2222-7222-8222-222222222222"];
const [web, api] = ["33333333-3333-7333-8333-333333333333", "44444444-4444-7444-8444-444444444444"];
const scope: MetricScope = {
  workspaceId: "w",
  projectId: mine,
  environment: "production",
  serviceIds: [web],
};
const hex = (id: string): string => id.replaceAll("-", "");

/** An hour of samples, one in ten seconds: each counter grows by `perSecond`. */
function samples(
  endMs: number,
  project: string,
  service: string,
  environment: string,
  perSecond: number,
): string {
  const cluster = `envoy_cluster_name="httproute/proj-shop/${hex(project)}${hex(service)}-${environment}/rule/0"`;
  const tenant = `project_id="${project}",environment="${environment}",service_id="${service}",instance="i1"`;
  const lines: string[] = [];
  for (let second = 0; second <= 3_600; second += 10) {
    const [at, n] = [endMs - 3_600_000 + second * 1_000, second * perSecond];
    lines.push(
      `envoy_cluster_upstream_rq_total{${cluster}} ${n} ${at}`,
      `envoy_cluster_upstream_rq_xx{${cluster},envoy_response_code_class="2"} ${n * 0.75} ${at}`,
      `envoy_cluster_upstream_rq_xx{${cluster},envoy_response_code_class="5"} ${n * 0.25} ${at}`,
      ...[
        ["10", 0.5],
        ["100", 1],
        ["+Inf", 1],
      ].map(
        ([le, share]) =>
          `envoy_cluster_upstream_rq_time_bucket{${cluster},le="${le}"} ${n * Number(share)} ${at}`,
      ),
      `envoy_cluster_upstream_cx_rx_bytes_total{${cluster}} ${n * 100} ${at}`,
      `envoy_cluster_upstream_cx_tx_bytes_total{${cluster}} ${n * 50} ${at}`,
      `container_cpu_usage_seconds_total{${tenant}} ${n / 100} ${at}`,
      `container_memory_working_set_bytes{${tenant}} ${perSecond * 1_000} ${at}`,
    );
  }
  return `${lines.join("\n")}\n`;
}

test("without a store every series is empty and the reason is told", async () => {
  const none = noMetricStore();
  expect(none.whyNone).toContain("apt-get install victoria-metrics");
  expect(
    await none.series(scope, { metric: "cpu", from: new Date(0), to: new Date(1_000), stepSeconds: 1 }),
  ).toEqual([]);
});

describe.skipIf(!canRun)("the metric store on VictoriaMetrics", { timeout: 60_000 }, () => {
  const endMs = Math.floor(Date.now() / 10_000) * 10_000 - 60_000;
  let home: string;
  let victoria: ChildProcess;
  let url: string;
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), "starform-metrics-"));
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    victoria = spawn(
      "victoria-metrics",
      [`-storageDataPath=${home}/data`, `-httpListenAddr=127.0.0.1:${port}`, "-memory.allowedBytes=64MB"],
      { stdio: "ignore" },
    );
    await until("VictoriaMetrics to answer", async () => (await fetch(`${url}/health`)).ok, {
      withinMs: 45_000,
    });
    const text =
      samples(endMs, mine, web, "production", 4) +
      samples(endMs, mine, api, "production", 8) +
      samples(endMs, mine, web, "staging", 1_000) +
      samples(endMs, yours, web, "production", 1_000);
    const imported = await fetch(`${url}/api/v1/import/prometheus`, { method: "POST", body: text });
    expect(imported.ok).toBe(true);
    await fetch(`${url}/internal/force_flush`);
  }, 60_000);
  afterAll(async () => {
    if (victoria && victoria.exitCode === null) {
      const gone = new Promise((resolve) => victoria.once("exit", resolve));
      victoria.kill("SIGKILL");
      await gone;
    }
    await rm(home, { recursive: true, force: true });
  });

  const last = async (metric: MetricName, of: MetricScope = scope) => {
    const points = await victoriaMetricStore({ url }).series(of, {
      metric,
      from: new Date(endMs - 1_200_000),
      to: new Date(endMs),
      stepSeconds: 60,
    });
    return { count: points.length, value: points.at(-1)?.value, ts: points.at(-1)?.ts };
  };

  test.each<[MetricName, number]>([
    ["requests", 4],
    ["errors", 25],
    ["latency_p50", 10],
    ["throughput", 600],
    ["network", 600],
    ["cpu", 0.04],
    ["memory", 4_000],
  ])("%s is that of the scope alone", async (metric, value) => {
    const seen = await last(metric);
    expect(seen.value).toBeCloseTo(value, 3);
    expect(seen).toMatchObject({ count: 21, ts: endMs });
  });

  test("several services are summed, and no id widens the scope", async () => {
    expect((await last("requests", { ...scope, serviceIds: [web, api] })).value).toBeCloseTo(12, 3);
    for (const wide of [".*", `${web}|.*`, '"} or {a="', ""]) {
      for (const metric of ["requests", "cpu"] as const) {
        expect(await last(metric, { ...scope, serviceIds: [wide] })).toMatchObject({ count: 0 });
        expect(await last(metric, { ...scope, projectId: wide })).toMatchObject({ count: 0 });
        expect(await last(metric, { ...scope, environment: wide })).toMatchObject({ count: 0 });
      }
    }
    expect(await last("requests", { ...scope, serviceIds: [] })).toMatchObject({ count: 0 });
  });

  test("says in a sentence when the span is wrong or the store away", async () => {
    const query = { metric: "cpu", from: new Date(0), to: new Date(60_000), stepSeconds: 1 } as const;
    await expect(
      victoriaMetricStore({ url }).series(scope, { ...query, to: new Date(0) }),
    ).rejects.toMatchObject({ code: "invalid" });
    await expect(
      victoriaMetricStore({ url: "http://127.0.0.1:9" }).series(scope, query),
    ).rejects.toMatchObject({ code: "unavailable" });
  });
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
