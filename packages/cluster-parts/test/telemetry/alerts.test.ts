import { existsSync, readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { InformerHealth } from "../../../../apps/shuttle/src/core/cluster.ts";
import { shuttleMetrics } from "../../../../apps/shuttle/src/core/metrics.ts";
import { carried } from "../samples.ts";
import { alertFiles, alerts, metricsOf, repository } from "./alert-rules.ts";
import { relabel } from "./alloy-relabel.ts";
import { complaintsOf, hasVictoria, openVictoria, type Victoria } from "./victoria.ts";

const kebab = (name: string): string =>
  name.replaceAll(/(?<=.)[A-Z]/g, (letter) => `-${letter}`).toLowerCase();

/** Everything that Shuttle says of itself, out of the code that says it. */
function shuttleNames(): readonly string[] {
  const metrics = shuttleMetrics();
  metrics.request("snapshots", 1);
  metrics.informer({ resource: "pods", lastEventAtMs: 0, watchErrors: 0, frozenTimes: 0 });
  metrics.set("starform_cluster_pods", 1);
  metrics.set("starform_cluster_pods_soft_limit", 1);
  return [...metrics.text([]).matchAll(/^([a-z_]+)(?:\{| )/gm)].map(([, name]) => name!);
}
const vendors = JSON.parse(readFileSync(new URL("vendor-metrics.json", import.meta.url), "utf8")) as Record<
  string,
  string | readonly string[]
>;
const known = new Set([
  ...shuttleNames(),
  ...Object.values(vendors)
    .filter((names) => typeof names !== "string")
    .flat(),
]);

/** Pages that no alert leads to. */
const scenarios = [
  "embedded.md",
  "registry-is-full.md",
  "starbase-is-gone.md",
  "cluster-is-gone.md",
  "wrong-state-published.md",
];

describe("every alert", () => {
  test("has a page of its own that says where to look and what to do", () => {
    expect(alerts.length).toBeGreaterThanOrEqual(20);
    for (const { alert, annotations } of alerts) {
      expect(annotations.runbook).toBe(`docs/runbooks/${kebab(alert)}.md`);
      const page = readFileSync(repository + annotations.runbook, "utf8");
      expect(page).toMatch(/^# \S/);
      expect(page).toContain("\n## Look\n");
      expect(page).toContain("\n## Mend\n");
      expect(page).toMatch(/\*\*What it means/);
    }
  });

  test("is told to somebody, with what it costs", () => {
    expect(new Set(alerts.map(({ alert }) => alert)).size).toBe(alerts.length);
    for (const { labels, annotations } of alerts) {
      expect(["page", "ticket"]).toContain(labels.severity);
      expect(annotations.summary).toContain("{{ $labels.");
      expect(annotations.consequence.length).toBeGreaterThan(20);
    }
  });

  test("reads only metrics that exist, and that Alloy lets through", () => {
    const keep = relabel(carried("alloy", "config.alloy"), "platform_only");
    for (const { alert, expr } of alerts) {
      const names = metricsOf(expr);
      expect({ alert, count: names.length > 0 }).toEqual({ alert, count: true });
      expect({ alert, unknown: names.filter((name) => !known.has(name)) }).toEqual({ alert, unknown: [] });
      for (const name of names) expect(keep({ __name__: name })).toEqual({ __name__: name });
    }
  });
});

test("every page is an alert's or tells of a scenario, and its links lead somewhere", () => {
  const folder = `${repository}docs/runbooks/`;
  const pages = readdirSync(folder);
  const led = alerts.map(({ annotations }) => annotations.runbook.replace("docs/runbooks/", ""));
  expect(pages.filter((page) => !led.includes(page) && !scenarios.includes(page))).toEqual([]);
  for (const page of pages)
    for (const [, link] of readFileSync(folder + page, "utf8").matchAll(/\]\(([a-z-]+\.md)\)/g))
      expect({ page, link, exists: existsSync(folder + link) }).toEqual({ page, link, exists: true });
});

/** Minutes before now → value; undefined: no sample. */
type Course = (minutesAgo: number) => number | undefined;
const steady =
  (value: number): Course =>
  () =>
    value;
const rising =
  (perMinute: number): Course =>
  (ago) =>
    10_000 - ago * perMinute;
/** What Shuttle itself says of its pods, as it is scraped. */
const saidOfPods =
  (metric: string, healthAt: (minutesAgo: number) => Omit<InformerHealth, "resource">): Course =>
  (ago) => {
    const metrics = shuttleMetrics();
    metrics.informer({ resource: "pods", ...healthAt(ago) });
    const said = new RegExp(`^${metric}\\{resource="pods"\\} (\\S+)$`, "m").exec(metrics.text([]));
    return Number(said![1]);
  };
/** The watch of the pods froze once, four minutes ago, and was mended in the same second. */
const frozenOnce = (ago: number): Omit<InformerHealth, "resource"> => ({
  lastEventAtMs: (nowSeconds - (ago > 4 && ago < 9 ? 9 : ago) * 60) * 1_000,
  watchErrors: ago > 4 ? 3 : 4,
  frozenTimes: ago > 4 ? 0 : 1,
});
const c = 'cluster_id="c1",region="nyc3"';
const up = `up{job="shuttle",${c}}`;
const available = (namespace: string, deployment: string) =>
  `kube_deployment_status_replicas_available{${c},namespace="${namespace}",deployment="${deployment}"}`;
const proxies = available("envoy-gateway-system", "envoy-envoy-gateway-system-starform-1a2b3c4d");
const http = (code: string) => `envoy_http_downstream_rq_xx{${c},envoy_response_code_class="${code}"}`;
const nowSeconds = Date.now() / 1_000;

/** A cluster in which all is well. */
const well: Readonly<Record<string, Course>> = {
  [up]: steady(1),
  [available("starform-system", "shuttle")]: steady(1),
  [available("starform-system", "vmagent")]: steady(1),
  [proxies]: steady(2),
  [`starform_informer_last_event_timestamp_seconds{${c},resource="pods"}`]: (ago) => nowSeconds - ago * 60,
  [`starform_informer_watch_errors_total{${c},resource="pods"}`]: steady(3),
  [`starform_informer_frozen_total{${c},resource="pods"}`]: steady(2),
  [`starform_snapshots_failed_total{${c}}`]: steady(5),
  [`starform_reconcile_errors_total{${c}}`]: steady(40),
  [`starform_capacity_reports_sent_total{${c}}`]: rising(1),
  [`starform_starbase_token_refused_total{${c}}`]: steady(1),
  [`starform_starbase_request_duration_seconds_bucket{${c},call="status",le="1"}`]: rising(10),
  [`starform_starbase_request_duration_seconds_bucket{${c},call="status",le="30"}`]: rising(10),
  [`starform_starbase_request_duration_seconds_bucket{${c},call="status",le="+Inf"}`]: rising(10),
  [`starform_cluster_pods{${c}}`]: steady(799),
  [`starform_cluster_pods_soft_limit{${c}}`]: steady(1_000),
  [http("2")]: rising(600),
  [http("5")]: rising(30),
  [`envoy_server_days_until_first_cert_expiring{${c},instance="p1"}`]: steady(365),
  [`kube_pod_container_status_restarts_total{${c},namespace="starform-system",pod="x",container="x"}`]:
    steady(7),
  [`kube_daemonset_status_number_unavailable{${c},namespace="starform-nodes",daemonset="fluent-bit"}`]:
    steady(0),
  [`kube_node_status_condition{${c},node="n1",condition="Ready",status="true"}`]: steady(1),
  [`node_filesystem_avail_bytes{${c},instance="n1",mountpoint="/"}`]: steady(50),
  [`node_filesystem_size_bytes{${c},instance="n1",mountpoint="/"}`]: steady(100),
  [`fluentbit_output_dropped_records_total{${c},instance="n1",name="vector"}`]: steady(0),
  [`fluentbit_output_retries_failed_total{${c},instance="n1",name="vector"}`]: steady(0),
  [`fluentbit_input_records_total{${c},instance="n1",name="customer_logs"}`]: rising(100),
  [`fluentbit_output_proc_records_total{${c},instance="n1",name="vector"}`]: rising(100),
};
const like = (part: string): string => Object.keys(well).find((name) => name.includes(part))!;

/** What goes wrong for each alert: the series that then are otherwise. */
const wrong: Readonly<Record<string, Readonly<Record<string, Course>>>> = {
  ShuttleDown: { [up]: steady(0) },
  ShuttleInformerFrozen: Object.fromEntries(
    ["last_event_timestamp_seconds", "watch_errors_total", "frozen_total"].map((metric) => [
      like(`informer_${metric}`),
      saidOfPods(`starform_informer_${metric}`, frozenOnce),
    ]),
  ),
  ShuttleWatchErrors: { [like("watch_errors")]: rising(2) },
  ShuttleSnapshotsFailing: { [like("snapshots_failed")]: rising(1) },
  ShuttleReconcileErrors: { [like("reconcile_errors")]: rising(1) },
  StarbaseUnreachable: { [like("capacity_reports")]: steady(9) },
  ShuttleTokenRefused: { [like("token_refused")]: rising(1) },
  StarbaseSlow: { [like('le="1"')]: steady(0) },
  ClusterNearlyFull: { [like("cluster_pods{")]: steady(800) },
  ClusterFull: { [like("cluster_pods{")]: steady(1_000) },
  ClusterSilent: Object.fromEntries(
    Object.keys(well).map((name) => [name, (ago) => (ago > 10 ? 1 : undefined)]),
  ),
  GatewayNotProgrammed: { [proxies]: steady(0) },
  GatewayErrors: { [http("5")]: rising(300) },
  CertificateExpiring: { [like("first_cert")]: steady(29) },
  PlatformCrashLoop: { [like("restarts_total")]: rising(1) },
  PlatformPartDown: { [available("starform-system", "vmagent")]: steady(0) },
  NodeAgentMissing: { [like("number_unavailable")]: steady(1) },
  NodeNotReady: { [like("kube_node_status_condition")]: steady(0) },
  NodeDiskFull: { [like("filesystem_avail")]: steady(9) },
  LogsDropped: { [like("dropped_records")]: rising(1) },
  LogsNotSent: { [like("proc_records")]: steady(50) },
};
/** And in another way. */
const alsoWrong: typeof wrong = {
  "frozen for good": { [like("last_event_timestamp")]: () => nowSeconds - 310 },
};
/** What else is then true. */
const besides: Readonly<Record<string, readonly string[]>> = { ClusterFull: ["ClusterNearlyFull"] };

const exposition = (series: Readonly<Record<string, Course>>): string =>
  Object.entries(series)
    .flatMap(([name, course]) =>
      Array.from({ length: 91 }, (_, half) => {
        const [ago, value] = [45 - half / 2, course(45 - half / 2)];
        return value === undefined ? [] : [`${name} ${value} ${Math.round((nowSeconds - ago * 60) * 1_000)}`];
      }).flat(),
    )
    .join("\n");

describe.skipIf(!hasVictoria)("the rules, evaluated", () => {
  let victoria: Victoria;
  beforeAll(async () => {
    victoria = await openVictoria();
    for (const [scenario, series] of Object.entries({ well: {}, ...wrong, ...alsoWrong }))
      await victoria.import(
        exposition({ ...well, ...series }).replaceAll('cluster_id="c1"', `cluster_id="${scenario}"`),
      );
  });
  afterAll(() => victoria?.[Symbol.asyncDispose]());

  const fired = async (scenario: string): Promise<string[]> => {
    const names: string[] = [];
    for (const { alert, expr } of alerts) {
      const series = await victoria.query(expr, nowSeconds * 1_000);
      if (series.some(({ metric }) => metric["cluster_id"] === scenario)) names.push(alert);
    }
    return names;
  };

  test("are rules that a rule engine takes, and it refuses a wrong one", () => {
    for (const path of alertFiles)
      expect(complaintsOf("vmalert", "alerts.yaml", readFileSync(path, "utf8"))).toBe("");
    const [first = ""] = alertFiles.map((path) => readFileSync(path, "utf8"));
    expect(complaintsOf("vmalert", "alerts.yaml", first.replace("expr: ", "expr: )"))).not.toBe("");
  });

  test("fire for none of them while all is well", async () => expect(await fired("well")).toEqual([]));

  test("have a scenario each", () =>
    expect(Object.keys(wrong).toSorted()).toEqual(alerts.map(({ alert }) => alert).toSorted()));

  test("fire for a watch that Shuttle does not get going again", async () =>
    expect(await fired("frozen for good")).toEqual(["ShuttleInformerFrozen"]));

  test.each(Object.keys(wrong))("fire %s for what it is meant for, and nothing else", async (scenario) => {
    const told = await fired(scenario);
    expect(told.toSorted()).toEqual([scenario, ...(besides[scenario] ?? [])].toSorted());
  });
});
