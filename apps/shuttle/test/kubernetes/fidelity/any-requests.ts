import * as fc from "fast-check";
import { apply, get, jsonPatch, merge, put, remove, strategic, type Asking } from "./request.ts";

/** Requests that two or three clients with different ideas might make to two small objects, in any order. */
const name = fc.constantFrom("a", "b");
const manager = fc.constantFrom("one", "two", "three");
const key = fc.constantFrom("k", "l", "m");
const value = fc.constantFrom("1", "2");
const data = fc.dictionary(key, value, { maxKeys: 3 });
const labels = fc.dictionary(fc.constantFrom("x.io/a", "b"), value, { maxKeys: 2 });
const finalizers = fc.subarray(["x.io/one", "x.io/two"]);
const query = fc.constantFrom("", "dryRun=All", "fieldManager=hand", "fieldValidation=Strict");

const map = fc.record(
  {
    apiVersion: fc.constant("v1"),
    kind: fc.constant("ConfigMap"),
    metadata: fc.record({ name, labels, finalizers }, { requiredKeys: ["name"] }),
    data,
    immutable: fc.constantFrom(false, null),
  },
  { requiredKeys: ["apiVersion", "kind", "metadata"] },
);
type Map = { metadata: { name: string } };

const env = fc
  .uniqueArray(fc.record({ name: fc.constantFrom("A", "B", "C"), value }), { selector: (one) => one.name })
  .map((all) => (all.length > 0 ? { env: all } : {}));
const ports = fc
  .subarray([
    { containerPort: 80 },
    { containerPort: 81, name: "other" },
    { containerPort: 80, protocol: "UDP" },
  ])
  .map((all) => (all.length > 0 ? { ports: all } : {}));
const container = fc
  .tuple(
    fc.constantFrom("main", "side"),
    env,
    ports,
    fc.constantFrom({}, { args: ["a"] }, { args: ["a", "b"] }),
  )
  .map(([own, ...parts]) => ({
    name: own,
    image: `registry.example.com/${own}:1`,
    ...Object.assign({}, ...parts),
  }));
const containers = fc.uniqueArray(container, { selector: (one) => one.name, minLength: 1, maxLength: 2 });
const deployment = fc.tuple(name, containers, labels).map(([own, all, extra]) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: own, labels: extra },
  spec: {
    replicas: 0,
    selector: { matchLabels: { app: own } },
    template: { metadata: { labels: { app: own } }, spec: { containers: all } },
  },
}));

const change = fc.oneof(
  fc.record({ data: fc.dictionary(key, fc.option(value), { maxKeys: 2 }) }),
  fc.record({
    metadata: fc.record({ labels: fc.dictionary(fc.constantFrom("x.io/a", "b"), fc.option(value)) }),
  }),
  fc.record({ metadata: fc.record({ finalizers }) }),
);
const operation = fc.oneof(
  fc.record({ op: fc.constant("add"), path: key.map((at) => `/data/${at}`), value }),
  fc.record({ op: fc.constantFrom("replace", "test"), path: key.map((at) => `/data/${at}`), value }),
  fc.record({ op: fc.constant("remove"), path: key.map((at) => `/data/${at}`) }),
  fc.record({ op: fc.constant("add"), path: fc.constant("/metadata/labels"), value: labels }),
);

const toMap: fc.Arbitrary<Asking> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(map, manager, fc.constantFrom("", "force=true", "force=true&dryRun=All"))
      .map(([body, who, how]) =>
        apply(`configmaps/${(body as Map).metadata.name}`, body, who, { query: how }),
      ),
  },
  fc
    .tuple(map, query)
    .map(([body, how]) => put(`configmaps/${(body as Map).metadata.name}`, body, { query: how })),
  fc.tuple(name, change, query).map(([own, body, how]) => merge(`configmaps/${own}`, body, { query: how })),
  fc
    .tuple(name, change, query)
    .map(([own, body, how]) => strategic(`configmaps/${own}`, body, { query: how })),
  fc
    .tuple(name, fc.array(operation, { minLength: 1, maxLength: 3 }), query)
    .map(([own, body, how]) => jsonPatch(`configmaps/${own}`, body, { query: how })),
  name.map((own) => remove(`configmaps/${own}`)),
  name.map((own) => get(`configmaps/${own}`)),
);
const toDeployment: fc.Arbitrary<Asking> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(deployment, manager, fc.constantFrom("", "force=true"))
      .map(([body, who, how]) => apply(`deployments/${body.metadata.name}`, body, who, { query: how })),
  },
  fc
    .tuple(name, containers, query)
    .map(([own, all, how]) =>
      strategic(`deployments/${own}`, { spec: { template: { spec: { containers: all } } } }, { query: how }),
    ),
  fc.tuple(name, fc.constantFrom("A", "B"), query).map(([own, gone, how]) =>
    strategic(
      `deployments/${own}`,
      {
        spec: {
          template: { spec: { containers: [{ name: "main", env: [{ name: gone, $patch: "delete" }] }] } },
        },
      },
      { query: how },
    ),
  ),
  fc
    .tuple(deployment, query)
    .map(([body, how]) => put(`deployments/${body.metadata.name}`, body, { query: how })),
  name.map((own) => remove(`deployments/${own}`)),
);

export const anyRequests: fc.Arbitrary<readonly Asking[]> = fc.oneof(
  fc.array(toMap, { minLength: 10, maxLength: 25 }),
  fc.array(toDeployment, { minLength: 8, maxLength: 15 }),
);
