import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { holds, type Requirement } from "../../src/kubernetes/model/label-selector.ts";
import { labelMatcher } from "../../src/kubernetes/model/selectors.ts";
import type { Stored } from "../../src/kubernetes/model/object.ts";
import { openFakeKubernetes, type FakeKubernetes } from "../../src/kubernetes/open-fake-kubernetes.ts";
import { callerOf, type Caller } from "./caller.ts";

type Page = {
  readonly metadata: {
    readonly continue?: string;
    readonly resourceVersion: string;
    readonly remainingItemCount?: number;
  };
  readonly items: readonly { readonly metadata: { readonly name: string } }[];
};

let fake: FakeKubernetes;
let call: Caller;
beforeAll(async () => {
  fake = await openFakeKubernetes({ nodes: [], bundles: [] });
  call = callerOf(fake.url);
  fake.client.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: "pages" } });
  await fake.settle();
  for (let number = 0; number < 23; number++) make(`m-${String(number).padStart(2, "0")}`, number % 3 === 0);
});
afterAll(() => fake[Symbol.asyncDispose]());

const path = "/api/v1/namespaces/pages/configmaps";
const make = (name: string, isThird = false) =>
  fake.client.create({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace: "pages", labels: { set: "m", third: String(isThird) } },
  });

/** Reads all pages; between two of them the cluster goes on. */
async function pages(limit: number, between: () => void, selector = "set%3Dm"): Promise<readonly Page[]> {
  const found: Page[] = [];
  let next: string | undefined;
  do {
    const more = next === undefined ? "" : `&continue=${encodeURIComponent(next)}`;
    const page = (await call.get(`${path}?labelSelector=${selector}&limit=${limit}${more}`))
      .body as unknown as Page;
    found.push(page);
    next = page.metadata.continue;
    between();
  } while (next !== undefined);
  return found;
}
const names = (all: readonly Page[]) =>
  all.flatMap(({ items }) => items.map(({ metadata }) => metadata.name));

describe("a list in pages", () => {
  test("shows the state at the time of its first page, whatever happens meanwhile", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 25 }), async (limit) => {
        const before = fake.client
          .list("v1", "ConfigMap", "pages")
          .map(({ metadata }) => metadata.name)
          .filter((name) => name.startsWith("m-"));
        let made = 0;
        const all = await pages(
          limit,
          () => void make(`m-99-${limit}-${Math.random().toString(36).slice(2)}-${made++}`),
        );
        expect(names(all)).toEqual(before);
        expect(new Set(all.map(({ metadata }) => metadata.resourceVersion)).size).toBe(1);
        for (const { metadata } of fake.client.list("v1", "ConfigMap", "pages"))
          if (metadata.name.startsWith("m-99"))
            fake.client.remove({
              apiVersion: "v1",
              kind: "ConfigMap",
              name: metadata.name,
              namespace: "pages",
            });
      }),
      { numRuns: 20 },
    );
  });

  test("tells how many are left only when nothing is selected", async () => {
    const plain = (await call.get(`${path}?limit=5`)).body as unknown as Page;
    const total = fake.client.list("v1", "ConfigMap", "pages").length;
    expect(plain.metadata.remainingItemCount).toBe(total - 5);
    const selected = (await call.get(`${path}?limit=5&labelSelector=set%3Dm`)).body as unknown as Page;
    expect(selected.metadata).not.toHaveProperty("remainingItemCount");
  });

  test("goes on as of now with the token that comes with 410", async () => {
    const first = (await call.get(`${path}?limit=5&labelSelector=set%3Dm`)).body as unknown as Page;
    make("m-98");
    fake.compact();
    const expired = await call.get(
      `${path}?limit=5&labelSelector=set%3Dm&continue=${first.metadata.continue}`,
    );
    expect(expired.status).toBe(410);
    const fresh = (expired.body["metadata"] as { continue: string }).continue;
    const rest = (await call.get(`${path}?labelSelector=set%3Dm&continue=${fresh}`)).body as unknown as Page;
    expect(names([first, rest])).toContain("m-98");
    expect(new Set(names([first, rest])).size).toBe(24);
    fake.client.remove({ apiVersion: "v1", kind: "ConfigMap", name: "m-98", namespace: "pages" });
  });
});

const key = fc.constantFrom("tier", "app", "starform.io/service-id");
const value = fc.constantFrom("web", "db", "x-1");
const requirement: fc.Arbitrary<Requirement> = fc.record({
  key,
  operator: fc.constantFrom("In" as const, "NotIn" as const, "Exists" as const, "DoesNotExist" as const),
  values: fc.uniqueArray(value, { minLength: 1, maxLength: 3 }),
});

/** A requirement in one of the ways in which it can be written. */
function written({ key: name, operator, values }: Requirement, isShort: boolean): string {
  if (operator === "Exists") return name;
  if (operator === "DoesNotExist") return `!${name}`;
  if (isShort && values.length === 1) return `${name}${operator === "In" ? "=" : "!="}${values[0]}`;
  return `${name} ${operator === "In" ? "in" : "notin"} (${values.join(",")})`;
}

test("a selector as text selects what its requirements hold for", () => {
  fc.assert(
    fc.property(
      fc.array(requirement, { maxLength: 4 }),
      fc.dictionary(key, value),
      fc.boolean(),
      (all, labels, isShort) => {
        const matches = labelMatcher(all.map((one) => written(one, isShort)).join(","));
        const object: Stored = { apiVersion: "v1", kind: "Pod", metadata: { name: "x", labels } };
        expect(matches(object)).toBe(all.every((one) => holds(one, labels)));
      },
    ),
  );
});
