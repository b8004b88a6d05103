import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { clusterRoleYaml, rolePath } from "../../../../scripts/cluster-role.ts";
import { clusterAccess, type Verb } from "../../src/adapters/kubernetes/cluster-access.ts";
import { collectableKinds } from "../../src/adapters/kubernetes/view/kinds.ts";
import type { Manifest } from "../../src/adapters/kubernetes/manifests/manifest.ts";
import { gatewayNamespace } from "../../src/adapters/kubernetes/manifests/names.ts";
import { allSteps, cron, production, richest, web, worker } from "./samples.ts";

const made = [web(), worker(), cron(), richest()].flatMap((service) =>
  allSteps(service, production).map(({ manifest }) => manifest),
);

/** What the API calls a kind; irregular plurals are written out. */
const irregular: Readonly<Record<string, string>> = {
  NetworkPolicy: "networkpolicies",
  EnvoyProxy: "envoyproxies",
  ClientTrafficPolicy: "clienttrafficpolicies",
  BackendTrafficPolicy: "backendtrafficpolicies",
};
const resourceOf = ({ kind }: Manifest): string => irregular[kind] ?? `${kind.toLowerCase()}s`;
const groupOf = ({ apiVersion }: Manifest): string =>
  apiVersion.includes("/") ? apiVersion.split("/")[0]! : "";

const mayApply = (manifest: Manifest): boolean => may(manifest, ["get", "list", "watch", "create", "patch"]);
const may = (manifest: Manifest, wanted: readonly Verb[]): boolean =>
  clusterAccess.some(
    ({ group, resources, verbs, where }) =>
      group === groupOf(manifest) &&
      resources.includes(resourceOf(manifest)) &&
      wanted.every((verb) => verbs.includes(verb)) &&
      (where === "cluster" || manifest.metadata.namespace === gatewayNamespace),
  );

const kindsOf = (manifests: readonly Manifest[]): ReadonlySet<string> =>
  new Set(manifests.map(({ kind }) => kind));

test("Shuttle may apply and watch every kind that a manifest maker makes", () => {
  expect(kindsOf(made).size).toBeGreaterThanOrEqual(19);
  expect(made.filter((manifest) => !mayApply(manifest)).map(({ kind }) => kind)).toEqual([]);
});

test("Shuttle may delete what goes with a service or a project, and never a volume or the shared Gateway", () => {
  const project = ["Namespace", "ServiceAccount", "Role", "RoleBinding", "ResourceQuota", "LimitRange"];
  expect(kindsOf(made.filter((manifest) => may(manifest, ["delete"])))).toEqual(
    new Set([...collectableKinds, ...project, "NetworkPolicy"]),
  );
});

test("Shuttle may write no kind that no maker makes; the runs a CronJob begets it may only end", () => {
  const makes = new Set(made.map((manifest) => `${groupOf(manifest)}/${resourceOf(manifest)}`));
  const beyond = clusterAccess
    .filter(({ where }) => where !== "own")
    .flatMap(({ group, resources, verbs }) =>
      resources.flatMap((resource) => verbs.map((verb) => ({ resource: `${group}/${resource}`, verb }))),
    )
    .filter(({ resource, verb }) => !["get", "list", "watch"].includes(verb) && !makes.has(resource))
    .map(({ resource, verb }) => `${verb} ${resource}`);
  expect(beyond).toEqual(["patch batch/jobs"]);
});

test("no right is a wildcard, twice there, or lets Shuttle give itself more", () => {
  const rights = clusterAccess.flatMap(({ group, resources, verbs, where }) =>
    resources.flatMap((resource) => verbs.map((verb) => `${where} ${verb} ${group}/${resource}`)),
  );
  expect(new Set(rights).size).toBe(rights.length);
  const text = clusterRoleYaml(clusterAccess);
  for (const word of [
    "'*'",
    '"*"',
    "escalate",
    "bind]",
    "impersonate",
    "clusterroles",
    "pods/exec",
    "nodes/proxy",
  ])
    expect(text).not.toContain(word);
});

test("the roles in deploy/ are those of the table", () => {
  expect(readFileSync(rolePath, "utf8")).toBe(clusterRoleYaml(clusterAccess));
});
