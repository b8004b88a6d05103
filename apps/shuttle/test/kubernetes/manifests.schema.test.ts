import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Manifest } from "../../src/adapters/kubernetes/manifests/manifest.ts";
import { knownKinds, problemsOf } from "./manifest-schemas.ts";
import { allSteps, cron, plain, production, richest, web, worker } from "./samples.ts";

const samples = { web: web(), worker: worker(), cron: cron(), richest: richest() };
const contexts = { plain, production };

test.each(Object.entries(samples))(
  "everything made of a %s is what the API server takes",
  (_name, service) => {
    for (const context of Object.values(contexts))
      expect(allSteps(service, context).flatMap(({ manifest }) => problemsOf(manifest))).toEqual([]);
  },
);

test("every kind there is a schema of is made of some sample", () => {
  const made = Object.values(samples)
    .flatMap((service) => allSteps(service, production))
    .map(({ manifest }) => `${manifest.apiVersion}/${manifest.kind}`);
  expect([...new Set(made)].toSorted()).toEqual([...knownKinds].toSorted());
});

test("a schema refuses what an API server refuses: unknown fields, wrong types, values out of range", () => {
  const [deployment] = allSteps(web(), plain)
    .map(({ manifest }) => manifest)
    .filter(({ kind }) => kind === "Deployment");
  const spec = deployment?.["spec"] as Record<string, unknown>;
  const wrong = (own: object): Manifest => ({ ...(deployment as Manifest), spec: { ...spec, ...own } });
  expect(problemsOf(wrong({}))).toEqual([]);
  expect(problemsOf(wrong({ unknown: 1 }))).not.toEqual([]);
  expect(problemsOf(wrong({ replicas: "1" }))).not.toEqual([]);
  expect(problemsOf(wrong({ selector: undefined }))).not.toEqual([]);
  const proxy = {
    apiVersion: "gateway.envoyproxy.io/v1alpha1",
    kind: "BackendTrafficPolicy",
    metadata: { name: "x" },
  };
  expect(problemsOf({ ...proxy, spec: { timeout: { tcp: { connectTimeout: "1.5s" } } } })).not.toEqual([]);
  expect(problemsOf({ ...proxy, spec: { retry: { retryOn: { triggers: ["anything"] } } } })).not.toEqual([]);
});

test("the schemas are closed: every object that names its members takes no others", () => {
  const closed: unknown[] = [];
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) return value.forEach(walk);
    if (value === null || typeof value !== "object") return;
    const schema = value as Record<string, unknown>;
    if (
      schema["type"] === "object" &&
      schema["properties"] &&
      !schema["x-kubernetes-preserve-unknown-fields"]
    )
      closed.push(schema["additionalProperties"]);
    Object.values(schema).forEach(walk);
  };
  for (const name of ["kubernetes", "gateway-api", "envoy-gateway"])
    walk(JSON.parse(readFileSync(new URL(`schemas/${name}.json`, import.meta.url), "utf8")));
  expect(closed.length).toBeGreaterThan(100);
  expect(new Set(closed)).toEqual(new Set([false]));
});
