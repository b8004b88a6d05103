import { describe, expect, test } from "vitest";
import {
  configMapName,
  httpRouteName,
  isolationName,
  podVolumeName,
  privateHost,
  varGroupSecretName,
  volumeClaimName,
  workloadName,
} from "../../src/adapters/kubernetes/manifests/names.ts";
import { allSteps, cron, group, production, richest, web } from "./samples.ts";

const longest = "a".repeat(30);
const longEnvironment = `${"e".repeat(28)}-1`;
const dnsLabel = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const dnsSubdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

describe("at their limits", () => {
  const service = richest({ service_name: longest, environment: longEnvironment, namespace: "n".repeat(63) });

  test("a CronJob's name leaves room for its runs, and a Service's is a DNS label that begins with a letter", () => {
    for (const environment of ["e", longEnvironment, "e".repeat(200)]) {
      const name = workloadName({ ...service, environment });
      expect(name.length).toBeLessThanOrEqual(52);
      expect(name).toMatch(dnsLabel);
    }
  });

  test("no object has a name the API server refuses", () => {
    for (const some of [service, cron({ service_name: longest, environment: longEnvironment })])
      for (const { manifest } of allSteps(some, production)) {
        expect(manifest.metadata.name).toMatch(dnsSubdomain);
        expect(manifest.metadata.name.length).toBeLessThanOrEqual(manifest.kind === "HTTPRoute" ? 95 : 63);
      }
  });

  test("every label's value has at most 63 characters of the allowed kind", () => {
    for (const { manifest } of allSteps(service, production))
      for (const value of Object.values(manifest.metadata.labels ?? {}))
        expect(value).toMatch(/^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/);
  });

  test("a volume of any name gets a name of its own", () => {
    const names = ["data", "Data", "da ta", "da-ta", "ü", "~", "x".repeat(300), `${"x".repeat(300)}y`];
    for (const nameOf of [podVolumeName, (name: string) => volumeClaimName(service, name)]) {
      const made = names.map(nameOf);
      expect(new Set(made).size).toBe(names.length);
      for (const name of made) expect(name).toMatch(/^[a-z][-a-z0-9]{0,61}[a-z0-9]$/);
    }
  });
});

test("two places never share a name, however their names are put together", () => {
  const names = [
    workloadName(web({ service_name: "a-b", environment: "c" })),
    workloadName(web({ service_name: "a", environment: "b-c", service_id: "another" })),
    workloadName(web({ environment: "c", service_id: "third" })),
    workloadName(web({ environment: `${"e".repeat(100)}1` })),
    workloadName(web({ environment: `${"e".repeat(100)}2` })),
  ];
  expect(new Set(names).size).toBe(names.length);
});

test("a rename changes no name", () => {
  const before = richest();
  const after = richest({ service_name: "other" });
  expect(workloadName(after)).toBe(workloadName(before));
  expect(configMapName(after)).toBe(configMapName(before));
  expect(privateHost(after)).toBe(privateHost(before));
});

test("a route is named after both ids in fixed width, then the environment", () => {
  const service = web({
    project_id: "0123abcd-0000-4000-8000-0000000000aa",
    service_id: "4567cdef-0000-4000-8000-0000000000bb",
    environment: "staging-2",
  });
  const ids = "0123abcd0000400080000000000000aa4567cdef0000400080000000000000bb";
  expect(httpRouteName(service, 1)).toBe(`${ids}-staging-2`);
  expect(httpRouteName(service, 2)).toBe(`${ids}--2-staging-2`);
});

test("isolation is named after its environment, a group's Secret after the group and what is in it", () => {
  expect(isolationName("production")).toBe("env-isolation-production");
  const name = varGroupSecretName(web(), group());
  expect(name).toMatch(new RegExp(`^vg-${group().var_group_id}-[0-9a-f]{10}$`));
  expect(varGroupSecretName(web(), group({ variables: {} }))).not.toBe(name);
  expect(varGroupSecretName(web({ environment: "staging" }), group())).not.toBe(name);
  expect(varGroupSecretName(web(), group())).toBe(name);
});
