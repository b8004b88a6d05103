import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { carried } from "../samples.ts";
import { alloyProblems } from "./alloy-rules.ts";
import { parseAlloy } from "./alloy-syntax.ts";
import { fluentBitProblems } from "./fluent-bit-rules.ts";
import { vectorProblems } from "./vector-rules.ts";
import { vrlProblems } from "./vrl-rules.ts";

const fluentBit = carried("fluent-bit", "fluent-bit.yaml");
const alloy = carried("alloy", "config.alloy");
const vector = readFileSync(new URL("../../../../deploy/region/vector/vector.yaml", import.meta.url), "utf8");

describe("Fluent Bit's configuration", () => {
  test("is what Fluent Bit takes", () => {
    expect(fluentBit).toContain("storage.path");
    expect(fluentBitProblems(fluentBit)).toEqual([]);
  });

  test.each([
    ["an option that is misspelt", "retry_limit", "retrylimit"],
    ["a switch that is no switch", "labels: on", "labels: sometimes"],
    ["a plugin that is not there", "- name: tail", "- name: tial"],
    [
      "a tag that reaches no output",
      "tag: tick",
      "tag: tock\n      dummy: '{}'\n    - name: dummy\n      tag: x",
    ],
    ["a buffer without a place", "storage.path: /var/lib/fluent-bit/chunks", "storage.path:"],
    ["a section of another tool", "pipeline:", "flows: {}\npipeline:"],
  ])("with %s is refused", (_what, right, wrong) => {
    const text = fluentBit
      .replace(right, wrong)
      .replace('      match: "*"\n      host', "      match: kube.*\n      host");
    expect(text).not.toBe(fluentBit);
    expect(fluentBitProblems(text)).not.toEqual([]);
  });

  test("drops nothing without saying so", () => {
    const { service, pipeline } = parse(fluentBit) as {
      service: Record<string, unknown>;
      pipeline: Record<string, Record<string, unknown>[]>;
    };
    const [tail] = pipeline["inputs"] ?? [];
    expect(tail).toMatchObject({
      "storage.type": "filesystem",
      read_from_head: "on",
      truncate_long_lines: "on",
    });
    expect(pipeline["outputs"]).toMatchObject([{ retry_limit: "no_limits", "tls.verify": "on" }]);
    expect(service).toMatchObject({ "storage.keep.rejected": "on" });
  });
});

describe("Alloy's configuration", () => {
  test("is what Alloy takes", () => {
    expect(parseAlloy(alloy).length).toBeGreaterThan(10);
    expect(alloyProblems(alloy)).toEqual([]);
  });

  test.each([
    ["an argument that is misspelt", "scrape_interval", "scrape_intervall"],
    ["a reference to nothing", "discovery.relabel.shuttle.output", "discovery.relabel.shuttel.output"],
    [
      "a reference of another type",
      "prometheus.relabel.platform_only.receiver",
      "discovery.relabel.envoy.output",
    ],
    ["a component twice", 'prometheus.scrape "envoy"', 'prometheus.scrape "shuttle"'],
    ["an action that is not there", '"labeldrop"', '"dropplabel"'],
    ["a broken expression", "(http_downstream", "((http_downstream"],
    ["a component that is not there", "prometheus.remote_write", "prometheus.remote_wright"],
    ["a missing argument", 'role = "pod"', ""],
  ])("with %s is refused", (_what, right, wrong) => {
    const text = alloy.replaceAll(right, wrong);
    expect(text).not.toBe(alloy);
    expect(alloyProblems(text)).not.toEqual([]);
  });

  test("that is no Alloy is a syntax error", () => {
    for (const wrong of [
      "logging {",
      "logging { level = }",
      'a = "x"',
      'logging { level = "x" level = "y" }',
    ])
      expect(() => parseAlloy(wrong)).toThrow(SyntaxError);
  });
});

describe("Vector's configuration", () => {
  test("is what Vector takes", () => expect(vectorProblems(vector)).toEqual([]));

  test.each([
    ["an option that is misspelt", "skip_unknown_fields", "skip_unknown_field"],
    ["a strategy that is not there", "strategy: custom", "strategy: bearer"],
    ["a missing endpoint", "    endpoint: http://127.0.0.1:8123\n", ""],
    ["an input that is not there", "[whose.tenant]", "[whose.tenants]"],
    ["a number as a text", "max_size: 10737418240", 'max_size: "ten"'],
  ])("with %s is refused", (_what, right, wrong) => {
    const text = vector.replaceAll(right, wrong);
    expect(text).not.toBe(vector);
    expect(vectorProblems(text)).not.toEqual([]);
  });

  test("lets no tenant choose a table, and acknowledges only what is stored", () => {
    const { sinks } = parse(vector) as { sinks: Record<string, Record<string, unknown>> };
    for (const { type, ...sink } of Object.values(sinks).filter(({ type }) => type === "clickhouse"))
      expect({ type, ...sink }).toMatchObject({
        database: expect.not.stringContaining("{{") as string,
        table: expect.not.stringContaining("{{") as string,
        acknowledgements: { enabled: true },
        buffer: { type: "disk", when_full: "block" },
      });
  });

  test("has programs that VRL takes", () => {
    const { sources, transforms } = parse(vector) as {
      sources: { clusters: { auth: { source: string } } };
      transforms: { whose: { route: { tenant: string } } };
    };
    expect(vrlProblems(sources.clusters.auth.source)).toEqual([]);
    expect(vrlProblems(transforms.whose.route.tenant)).toEqual([]);
    for (const wrong of ["parse_json(.x)", "includes!(a, b)", "nothing(1", "x == .y", "sha2(.x))"])
      expect(vrlProblems(wrong)).not.toEqual([]);
  });
});

/** The columns that one side writes are those that the other has. */
test("what Fluent Bit makes, Vector writes: every column of the table but what only builds have", () => {
  const lua = carried("fluent-bit", "customer-logs.lua");
  const made = [...lua.slice(lua.indexOf("local function row_of")).matchAll(/^ {4}(\w+) =/gm)].map(
    ([, name]) => name,
  );
  const { sinks } = parse(vector) as {
    sinks: Record<string, { encoding: { only_fields: string[] } }>;
  };
  expect(made.length).toBe(13);
  const written = sinks["customer_logs"]?.encoding.only_fields ?? [];
  expect(written.filter((name) => !made.includes(name))).toEqual([]);
  const schema = readFileSync(
    new URL("../../../../apps/starbase/src/adapters/clickhouse/log-schema.ts", import.meta.url),
    "utf8",
  );
  const columns = [...schema.matchAll(/^ {6}(\w+) (?:String|LowCardinality|DateTime64|UInt64)/gm)].map(
    ([, name]) => name,
  );
  expect(columns.length).toBe(14);
  expect(columns.filter((name) => !written.includes(name!))).toEqual(["build_id", "ingested_at"]);
  expect(written.filter((name) => !columns.includes(name))).toEqual([]);
  const beside = readFileSync(
    new URL("../../../../deploy/region/clickhouse/unattributed-logs.sql", import.meta.url),
    "utf8",
  );
  for (const name of sinks["unattributed_logs"]?.encoding.only_fields ?? [])
    expect(beside).toContain(`  ${name} `);
});
