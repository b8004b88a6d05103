import { KubeError, type KubeStatus } from "@starform/kubernetes/kube-error";
import { expect, test } from "vitest";
import { judgeRefusal } from "./refusals.ts";

const manifest = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "svc-1", namespace: "proj-shop" },
};
const judged = (status: number, body: KubeStatus) => judgeRefusal(new KubeError(status, body), manifest);

/** Messages as an API server of 1.36 words them. */
test.each<[string, number, KubeStatus, string, RegExp]>([
  [
    "no answer",
    0,
    { reason: "Unreachable", message: "the Kubernetes API server at x cannot be reached" },
    "away",
    /reached/,
  ],
  ["overload", 429, { reason: "TooManyRequests", message: "too many requests" }, "away", /too many/],
  [
    "an unknown field",
    500,
    {
      message:
        "failed to create typed patch object (p/web; apps/v1, Kind=Deployment): .spec.x: field not declared in schema",
    },
    "final",
    /^the cluster refuses Deployment svc-1: failed to create/,
  ],
  [
    "a crash of the server",
    500,
    { reason: "InternalError", message: "etcdserver: request timed out" },
    "again",
    /etcdserver/,
  ],
  [
    "a storm of conflicts",
    409,
    { reason: "Conflict", message: "the object has been modified" },
    "again",
    /modified/,
  ],
  [
    "a namespace that goes",
    403,
    {
      reason: "Forbidden",
      message: "unable to create new content",
      details: {
        causes: [{ reason: "NamespaceTerminating", message: "it goes", field: "metadata.namespace" }],
      },
    },
    "again",
    /^the namespace proj-shop is still being removed/,
  ],
  [
    "a namespace that is gone",
    404,
    {
      reason: "NotFound",
      message: 'namespaces "envoy-gateway-system" not found',
      details: { name: "envoy-gateway-system", kind: "namespaces" },
    },
    "again",
    /^there is no namespace envoy-gateway-system/,
  ],
  [
    "a quota",
    403,
    {
      reason: "Forbidden",
      message:
        'persistentvolumeclaims "a" is forbidden: exceeded quota: starform-project, requested: persistentvolumeclaims=1, used: persistentvolumeclaims=50, limited: persistentvolumeclaims=50',
    },
    "again",
    /^quota: starform-project, requested/,
  ],
  [
    "a missing right",
    403,
    {
      reason: "Forbidden",
      message:
        'deployments.apps is forbidden: User "x" cannot patch resource "deployments" in API group "apps"',
    },
    "again",
    /^Shuttle may not make Deployment svc-1/,
  ],
  [
    "a wrong value",
    422,
    {
      reason: "Invalid",
      message: "Deployment.apps is invalid",
      details: {
        causes: [{ reason: "FieldValueInvalid", message: "Invalid value: -1", field: "spec.replicas" }],
      },
    },
    "final",
    /: spec\.replicas: Invalid value: -1$/,
  ],
])("%s is judged by what the server said", (_name, status, body, kind, sentence) => {
  const refusal = judged(status, body);
  expect(refusal.kind).toBe(kind);
  expect(refusal.sentence).toMatch(sentence);
});

test("a server that names a time is left alone for as long", () => {
  expect(judged(429, { details: { retryAfterSeconds: 7 } })).toMatchObject({ kind: "away", waitMs: 7_000 });
});

const claim = { apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: { name: "svc-1-data" } };
test.each([
  [
    422,
    'PersistentVolumeClaim "svc-1-data" is invalid: spec.resources.requests.storage: Forbidden: field can not be less than status.capacity',
    /^a volume grows and never shrinks: /,
  ],
  [
    403,
    'persistentvolumeclaims "svc-1-data" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
    /^the volume keeps its size: the cluster's storage class lets none grow/,
  ],
])("that a volume keeps its size is told as what it means: %i", (status, message, sentence) => {
  const refusal = judgeRefusal(new KubeError(status, { message }), claim);
  expect(refusal).toEqual({ kind: "final", sentence: expect.stringMatching(sentence) as string });
});
