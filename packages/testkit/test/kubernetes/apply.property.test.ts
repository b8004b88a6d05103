import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ApiError } from "../../src/kubernetes/model/api-error.ts";
import {
  asObject,
  asObjects,
  at,
  omit,
  type Json,
  type JsonObject,
} from "../../src/kubernetes/model/json.ts";
import type { Stored } from "../../src/kubernetes/model/object.ts";
import { openFakeKubernetes, type FakeKubernetes } from "../../src/kubernetes/open-fake-kubernetes.ts";
import {
  conflictsOf,
  emptyModel,
  next,
  ownedBy,
  valuesOf,
  type Fields,
  type Model,
  type Step,
} from "./apply-model.ts";

const field = fc.constantFrom("a", "b", "c", "d");
const value = fc.constantFrom("1", "2", "3");
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant("apply" as const),
      manager: fc.constantFrom("one" as const, "two" as const),
      fields: fc.dictionary(field, value),
      force: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant("update" as const), field, value: fc.option(value) }),
  },
);

/** One place in an object that holds fields of this kind: how to write them there, and how to read them and their owners. */
type Place = {
  readonly title: string;
  readonly object: (fields: Fields) => JsonObject;
  readonly values: (object: Stored) => Fields;
  readonly owned: (fieldsV1: JsonObject) => readonly string[];
  readonly edit: (field: string, value: string | null) => JsonObject;
};

const names = (set: Json | undefined, prefix: string): readonly string[] =>
  Object.keys(asObject(set))
    .filter((element) => element.startsWith(prefix))
    .map((element) => element.slice(2));

const inMap: Place = {
  title: "a map",
  object: (fields) => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "x", namespace: "default" },
    // One entry is everybody's: a map that is empty goes, and whoever still owns the map itself is in the way of a new one.
    data: { ...fields, shared: "by all" },
  }),
  values: (object) => omit(asObject(object["data"]), "shared") as Fields,
  owned: (set) =>
    names(at(set, "f:data"), "f:")
      .filter((name) => name !== "shared")
      .toSorted(),
  edit: (name, to) => ({ data: { [name]: to } }),
};

const variables = (fields: Fields) => Object.entries(fields).map(([name, text]) => ({ name, value: text }));
/** One item of the list stands there always, so that the container is never empty. */
const inMapList: Place = {
  title: "a list that is merged by key",
  object: (fields) => ({
    metadata: { name: "x", namespace: "default" },
    ...deploymentOf(variables(fields)),
  }),
  values: (object) => {
    const [container] = asObjects(at(object, "spec", "template", "spec", "containers"));
    return Object.fromEntries(
      asObjects(container?.["env"]).map(({ name, value: text }) => [String(name), String(text ?? "")]),
    );
  },
  owned: (set) => {
    const containers = asObject(at(set, "f:spec", "f:template", "f:spec", "f:containers"));
    const env = asObject(asObject(containers['k:{"name":"main"}'])["f:env"]);
    return names(env, "k:")
      .filter((key) => at(env, `k:${key}`, "f:value") !== undefined)
      .map((key) => (JSON.parse(key) as { name: string }).name)
      .toSorted();
  },
  edit: (name, to) => ({
    spec: {
      template: {
        spec: {
          containers: [
            { name: "main", env: [to === null ? { $patch: "delete", name } : { name, value: to }] },
          ],
        },
      },
    },
  }),
};

function deploymentOf(env: readonly JsonObject[]): JsonObject {
  const labels = { app: "x" };
  const container = { name: "main", image: "registry.example/x:1", ...(env.length > 0 && { env }) };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    spec: {
      replicas: 0,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [container] } },
    },
  };
}

const kindOf = (fake: FakeKubernetes, { apiVersion, kind }: JsonObject): string =>
  fake.cluster.registry.byKind(String(apiVersion), String(kind))?.resource ?? "";

function act(fake: FakeKubernetes, place: Place, todo: Step): string | undefined {
  const object = place.object({});
  const address = {
    apiVersion: String(object["apiVersion"]),
    kind: String(object["kind"]),
    name: "x",
    namespace: "default",
  };
  try {
    if (todo.type === "apply")
      fake.client.apply(place.object(todo.fields), { fieldManager: todo.manager, force: todo.force });
    else
      fake.client.patch(
        address,
        { type: "strategic", body: place.edit(todo.field, todo.value) },
        { fieldManager: "editor" },
      );
    return undefined;
  } catch (error) {
    if (error instanceof ApiError && error.code === 409) return String(error.status["reason"]);
    throw error;
  }
}

function expectModel(object: Stored, place: Place, model: Model): void {
  expect(place.values(object)).toEqual(valuesOf(model));
  for (const manager of ["one", "two", "editor"]) {
    const entry = (object.metadata.managedFields ?? []).find((one) => one.manager === manager);
    expect([manager, entry ? place.owned(entry.fieldsV1) : []]).toEqual([manager, ownedBy(model, manager)]);
  }
}

describe.each([inMap, inMapList])("server-side apply to $title", (place) => {
  test("keeps values and owners as two appliers and an editor leave them", async () => {
    await using fake = await openFakeKubernetes({ nodes: [], bundles: [] });
    const sample = place.object({});
    const address = {
      apiVersion: String(sample["apiVersion"]),
      kind: String(sample["kind"]),
      name: "x",
      namespace: "default",
    };
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
        // A run that failed leaves its object behind.
        if (fake.cluster.store.get(kindOf(fake, sample), "default", "x")) fake.client.remove(address);
        fake.client.apply(place.object({}), { fieldManager: "maker", force: true });
        let model = emptyModel(place === inMapList);
        for (const todo of steps) {
          const refusal = act(fake, place, todo);
          const isRefused = todo.type === "apply" && !todo.force && conflictsOf(model, todo).length > 0;
          expect(refusal).toBe(isRefused ? "Conflict" : undefined);
          model = next(model, todo);
          expectModel(fake.client.get(address), place, model);
        }
      }),
      { numRuns: 200 },
    );
  });

  test("writes nothing when the same is applied again", async () => {
    await using fake = await openFakeKubernetes({ nodes: [], bundles: [] });
    fc.assert(
      fc.property(fc.dictionary(field, value), (fields) => {
        const first = fake.client.apply(place.object(fields), { fieldManager: "one", force: true });
        const again = fake.client.apply(place.object(fields), { fieldManager: "one" });
        expect(again.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
      }),
      { numRuns: 100 },
    );
  });
});
