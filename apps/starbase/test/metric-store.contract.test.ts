import { spawn, spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "@starform/std/retry";
import { telemetryCanRun, telemetryProcess } from "@starform/testkit/telemetry-process";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { clickhouseMetricStore } from "../src/adapters/clickhouse/metric-store.ts";
import { victoriaMetricStore } from "../src/adapters/victoriametrics/metric-store.ts";
import type { MetricName, MetricScope, MetricStore } from "../src/ports/metric-store.ts";

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

/** One kind of store, with a way to put Prometheus' text into it. */
type UnderTest = AsyncDisposable & {
  readonly store: MetricStore;
  /** The same store where nobody answers. */
  readonly away: MetricStore;
  take(text: string): Promise<void>;
};
const taken = async (url: string, init: RequestInit): Promise<void> => {
  const answer = await fetch(url, { method: "POST", ...init });
  if (!answer.ok) throw new Error(`it answered ${answer.status} ${await answer.text()}`);
};

async function openVictoria(): Promise<UnderTest> {
  await using stack = new AsyncDisposableStack();
  const home = await mkdtemp(join(tmpdir(), "starform-metrics-"));
  stack.defer(() => rm(home, { recursive: true, force: true }));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const victoria = spawn(
    "victoria-metrics",
    [`-storageDataPath=${home}/data`, `-httpListenAddr=127.0.0.1:${port}`, "-memory.allowedBytes=64MB"],
    { stdio: "ignore" },
  );
  const gone = new Promise((resolve) => victoria.once("exit", resolve));
  stack.defer(async () => {
    victoria.kill("SIGKILL");
    await gone;
  });
  await until("VictoriaMetrics to answer", async () => (await fetch(`${url}/health`)).ok, {
    withinMs: 45_000,
  });
  const open = stack.move();
  return {
    store: victoriaMetricStore({ url }),
    away: victoriaMetricStore({ url: "http://127.0.0.1:9" }),
    async take(body) {
      await taken(`${url}/api/v1/import/prometheus`, { body });
      await fetch(`${url}/internal/force_flush`);
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

async function openBuiltIn(): Promise<UnderTest> {
  await using stack = new AsyncDisposableStack();
  const telemetry = stack.use(await telemetryProcess());
  const { user, password } = telemetry;
  const store = stack.use(clickhouseMetricStore(telemetry));
  const away = stack.use(clickhouseMetricStore({ url: "http://127.0.0.1:9", user, password }));
  const headers = { authorization: `Basic ${btoa(`${user}:${password}`)}` };
  const open = stack.move();
  return {
    store,
    away,
    take: (body) => taken(`${telemetry.url}/api/v1/import/prometheus`, { body, headers }),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

const stores = [
  {
    name: "VictoriaMetrics",
    open: openVictoria,
    canRun: process.env.CI ? true : spawnSync("victoria-metrics", ["-version"]).error === undefined,
  },
  { name: "the telemetry process", open: openBuiltIn, canRun: process.env.CI ? true : telemetryCanRun() },
];

describe.each(stores)("the metric store on $name", { timeout: 60_000 }, ({ open, canRun }) => {
  const endMs = Math.floor(Date.now() / 10_000) * 10_000 - 60_000;
  let under: UnderTest;
  beforeAll(async () => {
    if (!canRun) return;
    under = await open();
    await under.take(
      samples(endMs, mine, web, "production", 4) +
        samples(endMs, mine, api, "production", 8) +
        samples(endMs, mine, web, "staging", 1_000) +
        samples(endMs, yours, web, "production", 1_000),
    );
  }, 90_000);
  afterAll(() => under?.[Symbol.asyncDispose]());
  beforeEach(({ skip }) => skip(!canRun, "this machine has no such store"));

  const last = async (metric: MetricName, of: MetricScope = scope) => {
    const points = await under.store.series(of, {
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

  test("a service of many hosts is counted in all of its routes, and in no other environment's", async () => {
    const project = "66666666-6666-7666-8666-666666666666";
    const route = (name: string, perSecond: number) =>
      Array.from({ length: 361 }, (_, step) => {
        const label = `envoy_cluster_name="httproute/proj-shop/${hex(project)}${hex(web)}${name}/rule/0"`;
        return `envoy_cluster_upstream_rq_total{${label}} ${step * 10 * perSecond} ${endMs - 3_600_000 + step * 10_000}\n`;
      }).join("");
    await under.take(
      route("-production", 1) +
        route("--2-production", 2) +
        route("-2-production", 40) +
        route("--2-staging", 70),
    );
    expect((await last("requests", { ...scope, projectId: project })).value).toBeCloseTo(3, 3);
  });

  test("a counter that began anew, one that came late and one that went are counted for what they are", async () => {
    const project = "55555555-5555-7555-8555-555555555555";
    const line = (instance: string, second: number, value: number) =>
      `container_cpu_usage_seconds_total{project_id="${project}",environment="production",service_id="${web}",instance="${instance}"} ${value} ${endMs - 600_000 + second * 1_000}`;
    const lines: string[] = [];
    for (let second = 0; second <= 600; second += 10) {
      // Two seconds a second; begun anew at 300, with no more than it did since.
      lines.push(line("anew", second, second < 300 ? 1_000 + second * 2 : (second - 290) * 2));
      if (second >= 200) lines.push(line("late", second, 5_000 + second));
      if (second <= 400) lines.push(line("gone", second, second * 3));
    }
    await under.take(`${lines.join("\n")}\n`);
    const points = await under.store.series(
      { ...scope, projectId: project },
      { metric: "cpu", from: new Date(endMs - 600_000), to: new Date(endMs), stepSeconds: 60 },
    );
    const at = (second: number) => points.find(({ ts }) => ts === endMs - 600_000 + second * 1_000)?.value;
    expect(at(120)).toBeCloseTo(5, 3);
    expect(at(360)).toBeCloseTo(6, 3);
    expect(at(600)).toBeCloseTo(3, 3);
  });

  test("says in a sentence when the span is wrong or the store away", async () => {
    const query = { metric: "cpu", from: new Date(0), to: new Date(60_000), stepSeconds: 1 } as const;
    for (const wrong of [{ to: new Date(0) }, { stepSeconds: 0.5 }, { to: new Date(20_000_000) }])
      await expect(under.store.series(scope, { ...query, ...wrong })).rejects.toMatchObject({
        code: "invalid",
      });
    await expect(under.away.series(scope, query)).rejects.toMatchObject({ code: "unavailable" });
  });
});

test.skipIf(!telemetryCanRun())(
  "what a process shows to the bearer of its token becomes a series, without any store of metrics",
  { timeout: 120_000 },
  async () => {
    await using stack = new AsyncDisposableStack();
    const dir = await mkdtemp(join(tmpdir(), "starform-scrape-"));
    stack.defer(() => rm(dir, { recursive: true, force: true }));
    await writeFile(join(dir, "token"), "of-tests\n");
    let fetches = 0;
    const shown = createHttpServer(({ url, headers }, response) => {
      if (url !== "/metrics" || headers.authorization !== "Bearer of-tests")
        return response.writeHead(401).end();
      fetches += 1;
      return response.end(
        `# TYPE container_cpu_usage_seconds_total counter\ncontainer_cpu_usage_seconds_total{project_id="${mine}",environment="production",service_id="${web}",instance="i"} ${fetches}\nother_total 1\n`,
      );
    });
    await new Promise<void>((resolve) => shown.listen(0, "127.0.0.1", resolve));
    stack.defer(() => void shown.close());
    const { port } = shown.address() as AddressInfo;
    const telemetry = stack.use(
      await telemetryProcess({
        TELEMETRY_SCRAPE: `http://127.0.0.1:${port}/metrics=${join(dir, "token")}\nhttp://127.0.0.1:9/metrics=${join(dir, "token")}`,
      }),
    );
    const store = stack.use(clickhouseMetricStore(telemetry));
    const points = await until(
      "a rate of processor time",
      async () => {
        const [from, to] = [new Date(Date.now() - 120_000), new Date()];
        const seen = await store.series(scope, { metric: "cpu", from, to, stepSeconds: 15 });
        return seen.length > 0 && seen;
      },
      { withinMs: 60_000, everyMs: 500 },
    );
    expect(points.at(-1)?.value).toBeGreaterThan(0);
  },
);

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
