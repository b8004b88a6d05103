import {
  asObject,
  asObjects,
  isList,
  isObject,
  withDefaults,
  type Json,
  type JsonObject,
} from "../model/json.ts";

const each = (list: Json | undefined, change: (item: JsonObject) => JsonObject): Json | undefined =>
  isList(list) ? list.map((item) => (isObject(item) ? change(item) : item)) : list;

/** Replaces the field by what `change` makes of it, when it is there. */
export const within = (
  object: JsonObject,
  field: string,
  change: (inner: JsonObject) => JsonObject,
): JsonObject => {
  const inner = object[field];
  return isObject(inner) ? { ...object, [field]: change(inner) } : object;
};
export const withinEach = (
  object: JsonObject,
  field: string,
  change: (item: JsonObject) => JsonObject,
): JsonObject => (isList(object[field]) ? { ...object, [field]: each(object[field], change) } : object);

const handlerDefaults = (handler: JsonObject): JsonObject => {
  const http = within(handler, "httpGet", (get) => withDefaults(get, { path: "/", scheme: "HTTP" }));
  return within(http, "grpc", (grpc) => withDefaults(grpc, { service: "" }));
};
const probeDefaults = (probe: JsonObject): JsonObject =>
  withDefaults(handlerDefaults(probe), {
    timeoutSeconds: 1,
    periodSeconds: 10,
    successThreshold: 1,
    failureThreshold: 3,
  });

/** `Always` for images that may change under their name: no tag, or `latest`. */
const pullPolicy = (image: Json | undefined): string => {
  const text = typeof image === "string" ? image : "";
  if (text.includes("@")) return "IfNotPresent";
  const [, tag] = /:([^/:]+)$/.exec(text) ?? [];
  return tag === undefined || tag === "latest" ? "Always" : "IfNotPresent";
};

/** What is asked for is at least what is limited, when only the limit is given. */
const resourceDefaults = (resources: JsonObject): JsonObject => {
  const limits = asObject(resources["limits"]);
  if (Object.keys(limits).length === 0) return resources;
  return { ...resources, requests: { ...limits, ...asObject(resources["requests"]) } };
};

const envDefaults = (variable: JsonObject): JsonObject =>
  within(variable, "valueFrom", (from) =>
    within(from, "fieldRef", (ref) => withDefaults(ref, { apiVersion: "v1" })),
  );

const containerDefaults =
  (isTemplate: boolean) =>
  (container: JsonObject): JsonObject => {
    let out = withDefaults(container, {
      terminationMessagePath: "/dev/termination-log",
      terminationMessagePolicy: "File",
      imagePullPolicy: pullPolicy(container["image"]),
      resources: {},
    });
    // A template keeps what was written; the pod made of it gets its requests from its limits.
    if (!isTemplate) out = within(out, "resources", resourceDefaults);
    for (const probe of ["livenessProbe", "readinessProbe", "startupProbe"])
      out = within(out, probe, probeDefaults);
    out = within(out, "lifecycle", (cycle) =>
      ["preStop", "postStart"].reduce((all, hook) => within(all, hook, handlerDefaults), cycle),
    );
    out = withinEach(out, "ports", (port) => withDefaults(port, { protocol: "TCP" }));
    return withinEach(out, "env", envDefaults);
  };

const modes = { secret: 420, configMap: 420, downwardAPI: 420, projected: 420 } as const;
const volumeDefaults = (volume: JsonObject): JsonObject => {
  let out = volume;
  for (const [source, defaultMode] of Object.entries(modes))
    out = within(out, source, (inner) => withDefaults(inner, { defaultMode }));
  return within(out, "projected", (projected) =>
    withinEach(projected, "sources", (source) =>
      within(source, "serviceAccountToken", (token) => withDefaults(token, { expirationSeconds: 3600 })),
    ),
  );
};

/** The defaults of a pod's spec; `isTemplate` for the spec inside a workload. */
export function podSpecDefaults(spec: JsonObject, isTemplate: boolean): JsonObject {
  let out = withDefaults(spec, {
    restartPolicy: "Always",
    terminationGracePeriodSeconds: 30,
    dnsPolicy: "ClusterFirst",
    securityContext: {},
    schedulerName: "default-scheduler",
    ...(spec["serviceAccountName"] !== undefined && { serviceAccount: spec["serviceAccountName"] }),
    ...(spec["serviceAccount"] !== undefined && { serviceAccountName: spec["serviceAccount"] }),
    ...(!isTemplate && { enableServiceLinks: true }),
  });
  for (const list of ["containers", "initContainers"])
    out = withinEach(out, list, containerDefaults(isTemplate));
  return withinEach(out, "volumes", volumeDefaults);
}

/** The pod template inside a workload's spec, with its defaults. */
export const templateDefaults = (spec: JsonObject): JsonObject =>
  within(spec, "template", (template) => within(template, "spec", (inner) => podSpecDefaults(inner, true)));

export const containersOf = (podSpec: Json | undefined): readonly JsonObject[] => [
  ...asObjects(asObject(podSpec)["initContainers"]),
  ...asObjects(asObject(podSpec)["containers"]),
];
