import type { Cluster } from "../cluster.ts";
import { specOf } from "../kinds/in-spec.ts";
import { asObject, asObjects, isObject, type Json, type JsonObject } from "../model/json.ts";
import type { Stored } from "../model/object.ts";

type Sources = { readonly pod: Stored; readonly cluster: Cluster };
type Ref = { readonly resource: "configmaps" | "secrets"; readonly name: string; readonly key?: string };

const words = { configmaps: "configmap", secrets: "secret" } as const;

function problemOf({ resource, name, key }: Ref, { pod, cluster }: Sources): string | undefined {
  const found = cluster.store.get(resource, pod.metadata.namespace, name);
  if (!found) return `${words[resource]} ${JSON.stringify(name)} not found`;
  if (key === undefined || asObject(found["data"])[key] !== undefined) return undefined;
  return `couldn't find key ${key} in ${resource === "secrets" ? "Secret" : "ConfigMap"} ${pod.metadata.namespace}/${name}`;
}

const reference = (ref: Json | undefined, resource: Ref["resource"]): readonly Ref[] =>
  isObject(ref) && ref["optional"] !== true
    ? [
        {
          resource,
          name: String(ref["name"] ?? ref["secretName"]),
          ...(ref["key"] !== undefined && { key: String(ref["key"]) }),
        },
      ]
    : [];

/** What the container's variables come from and is not there, in the kubelet's words. */
export function missingVariables(container: JsonObject, sources: Sources): string | undefined {
  const refs = [
    ...asObjects(container["envFrom"]).flatMap(({ configMapRef, secretRef }) => [
      ...reference(configMapRef, "configmaps"),
      ...reference(secretRef, "secrets"),
    ]),
    ...asObjects(container["env"]).flatMap(({ valueFrom }) => [
      ...reference(asObject(valueFrom)["configMapKeyRef"], "configmaps"),
      ...reference(asObject(valueFrom)["secretKeyRef"], "secrets"),
    ]),
  ];
  return refs.map((ref) => problemOf(ref, sources)).find((problem) => problem !== undefined);
}

/** Which volume cannot be mounted, and why: then no container of the pod is made at all. */
export function missingVolume(
  sources: Sources,
): { readonly volume: string; readonly problem: string } | undefined {
  for (const { name, configMap, secret } of asObjects(specOf(sources.pod)["volumes"])) {
    for (const ref of [...reference(configMap, "configmaps"), ...reference(secret, "secrets")]) {
      const problem = problemOf(ref, sources);
      if (problem) return { volume: String(name), problem };
    }
  }
  return undefined;
}
