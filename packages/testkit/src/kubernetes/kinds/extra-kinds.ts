import type { Schema } from "../schema/schema.ts";
import { kubernetesSchemas } from "../schema/load-schemas.ts";

const text: Schema = { type: "string" };
const number: Schema = { type: "integer", format: "int32" };

/** Kinds that a bootstrap applies and whose schemas the published definitions lack. */
export function extraSchemas(): Readonly<Record<string, Schema>> {
  const meta = kubernetesSchemas()["io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"] ?? {};
  const condition: Schema = {
    type: "object",
    properties: { type: text, status: text, reason: text, message: text, lastTransitionTime: text },
    required: ["type", "status"],
  };
  return {
    "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService": {
      title: "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService",
      type: "object",
      properties: {
        apiVersion: text,
        kind: text,
        metadata: meta,
        spec: {
          type: "object",
          title: "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIServiceSpec",
          required: ["groupPriorityMinimum", "versionPriority"],
          properties: {
            group: text,
            version: text,
            groupPriorityMinimum: number,
            versionPriority: number,
            insecureSkipTLSVerify: { type: "boolean" },
            caBundle: text,
            service: { type: "object", properties: { name: text, namespace: text, port: number } },
          },
        },
        status: {
          type: "object",
          properties: {
            conditions: {
              type: "array",
              items: condition,
              "x-kubernetes-list-type": "map",
              "x-kubernetes-list-map-keys": ["type"],
            },
          },
        },
      },
      "x-kubernetes-group-version-kind": [
        { group: "apiregistration.k8s.io", version: "v1", kind: "APIService" },
      ],
    },
  };
}
