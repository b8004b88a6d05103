import { expect, test } from "vitest";
import { parseSamples } from "../src/metrics/parse-samples.ts";

const [project, service] = ["a".repeat(32), "b".repeat(32)];
const cluster = `envoy_cluster_name="httproute/proj-shop/${project}${service}-production/rule/0"`;

test("samples of both kinds belong to the service that their labels name", () => {
  const text = `# TYPE envoy_cluster_upstream_rq_total counter
envoy_cluster_upstream_rq_total{${cluster}} 7
envoy_cluster_upstream_rq_time_bucket{${cluster},le="+Inf"} 3 1700000000000
envoy_cluster_upstream_rq_xx{${cluster},envoy_response_code_class="5"} 1
container_memory_working_set_bytes{project_id="11111111-1111-7111-8111-111111111111",environment="staging",service_id="s",instance="i"} 1.5e6`;
  expect(parseSamples(text, 5).map(({ series: _, ...sample }) => sample)).toEqual([
    {
      name: "envoy_cluster_upstream_rq_total",
      project,
      environment: "production",
      service,
      part: "",
      tsMs: 5,
      value: 7,
    },
    {
      name: "envoy_cluster_upstream_rq_time_bucket",
      project,
      environment: "production",
      service,
      part: "+Inf",
      tsMs: 1_700_000_000_000,
      value: 3,
    },
    {
      name: "envoy_cluster_upstream_rq_xx",
      project,
      environment: "production",
      service,
      part: "5",
      tsMs: 5,
      value: 1,
    },
    {
      name: "container_memory_working_set_bytes",
      project: "11111111111171118111111111111111",
      environment: "staging",
      service: "s",
      part: "",
      tsMs: 5,
      value: 1_500_000,
    },
  ]);
});

test("what belongs to nobody, is no number, or is not asked for, is left out", () => {
  const tenant = 'project_id="p",environment="e",service_id="s"';
  const text = [
    "starform_gateway_routes 3",
    `other_total{${tenant}} 1`,
    `container_cpu_usage_seconds_total{${tenant}} NaN`,
    'container_cpu_usage_seconds_total{project_id="",environment="e",service_id="s"} 1',
    'container_cpu_usage_seconds_total{project_id="p"} 1',
    'envoy_cluster_upstream_rq_total{envoy_cluster_name="something/else"} 1',
    `container_cpu_usage_seconds_total{${tenant} 1`,
  ].join("\n");
  expect(parseSamples(text, 5)).toEqual([]);
});

test("a label may hold what ends other labels", () => {
  const [sample] = parseSamples(
    'container_cpu_usage_seconds_total{instance="a}\\"b,c=\\"",project_id="p\\\\q",environment="e",service_id="s"} 2',
    5,
  );
  expect(sample).toMatchObject({ project: "p\\q", environment: "e", service: "s", value: 2 });
});

test("a further route of a service belongs to the same environment as its first", () => {
  const named = (name: string) =>
    parseSamples(
      `envoy_cluster_upstream_rq_total{envoy_cluster_name="httproute/proj-shop/${project}${service}${name}/rule/0"} 7`,
      5,
    ).map(({ environment }) => environment);
  expect(named("--2-production")).toEqual(["production"]);
  expect(named("-2-production")).toEqual(["2-production"]);
  expect(named("--12-a--3-b")).toEqual(["a--3-b"]);
});
