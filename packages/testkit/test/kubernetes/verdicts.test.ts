import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openFakeKubernetes, type FakeKubernetes } from "../../src/kubernetes/open-fake-kubernetes.ts";
import { callerOf } from "./caller.ts";
import { recorded } from "./exchange-replay.ts";

type Spec = Record<string, unknown>;
type Verdict = {
  readonly object: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly metadata: { name: string; namespace?: string };
    readonly spec: Spec;
  };
  readonly accepted: boolean;
  readonly status: number;
  readonly message?: string;
  readonly note?: string;
  readonly specAfterDefaults?: Spec;
  /** The recording shows only the first of so many listeners. */
  readonly repeatListenersTo?: number;
};

let fake: FakeKubernetes;
beforeAll(async () => {
  fake = await openFakeKubernetes();
  fake.client.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: "edge" } });
});
afterAll(() => fake[Symbol.asyncDispose]());

function objectOf({ object, repeatListenersTo }: Verdict): Verdict["object"] {
  if (!repeatListenersTo) return object;
  const [first] = object.spec["listeners"] as Spec[];
  const listeners = Array.from({ length: repeatListenersTo }, (_, number) => ({
    ...first,
    name: `l${number}`,
    hostname: `h${number}.example.com`,
  }));
  return { ...object, spec: { ...object.spec, listeners } };
}

const titled = (verdicts: readonly Verdict[]) =>
  verdicts.map((verdict, index) => ({
    verdict,
    title: `${index}: ${verdict.object.kind}${verdict.note ? `, ${verdict.note}` : ""} is ${verdict.accepted ? "accepted" : "refused"}`,
  }));

describe.each(["gateway-api", "envoy-gateway"])(
  "the definitions of %s judge as a kube-apiserver does",
  (bundle) => {
    const verdicts = recorded<Verdict>(`${bundle}-verdicts`);

    test.each(titled(verdicts))("$title", async ({ verdict }) => {
      const object = objectOf(verdict);
      const kind = fake.cluster.registry.byKind(object.apiVersion, object.kind);
      expect(kind?.kind).toBe(object.kind);
      const place = object.metadata.namespace ? `/namespaces/${object.metadata.namespace}` : "";
      const path = `/apis/${object.apiVersion}${place}/${kind?.plural}?dryRun=All&fieldValidation=Strict`;
      const answer = await callerOf(fake.url).post(path, object);
      expect([answer.status, answer.body["message"]]).toEqual([verdict.status, verdict.message]);
      const spec = (answer.body["spec"] ?? {}) as Spec;
      for (const [field, value] of Object.entries(verdict.specAfterDefaults ?? {}))
        expect(spec[field]).toEqual(value);
    });

    test("there are verdicts both ways", () => {
      expect(verdicts.filter(({ accepted }) => accepted).length).toBeGreaterThan(5);
      expect(verdicts.filter(({ accepted }) => !accepted).length).toBeGreaterThan(3);
    });
  },
);
