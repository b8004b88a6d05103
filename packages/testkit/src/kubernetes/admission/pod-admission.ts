import { inSpec, specOf } from "../kinds/in-spec.ts";
import { withinEach } from "../kinds/pod-defaults.ts";
import { forbidden } from "../model/api-error.ts";
import { asObjects, type JsonObject } from "../model/json.ts";
import { randomSuffix } from "../model/random-name.ts";
import type { Admission, AdmissionRequest } from "./admission.ts";

const isNewPod = ({ kind, operation, subresource }: AdmissionRequest): boolean =>
  kind.resource === "pods" && operation === "CREATE" && subresource === undefined;

const unhealthy = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];

/** Five minutes pass before a pod leaves a node that is gone. */
export const tolerations: Admission = {
  mutate: (object, request) => {
    if (!isNewPod(request)) return object;
    const own = asObjects(specOf(object)["tolerations"]);
    const added = unhealthy
      .filter(
        (key) =>
          !own.some(
            (one) => (one["key"] === key || one["key"] === undefined) && one["effect"] !== "NoSchedule",
          ),
      )
      .map((key) => ({ key, operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 }));
    return inSpec(object, (spec) => ({ ...spec, tolerations: [...own, ...added] }));
  },
};

/** A pod's priority is that of its class, or of the class that is everybody's default, or 0. */
export const priority: Admission = {
  mutate: (object, request, { store }) => {
    if (!isNewPod(request)) return object;
    const name = specOf(object)["priorityClassName"];
    const builtin: Readonly<Record<string, number>> = {
      "system-cluster-critical": 2_000_000_000,
      "system-node-critical": 2_000_001_000,
    };
    const found =
      typeof name === "string"
        ? store.get("priorityclasses.scheduling.k8s.io", undefined, name)
        : store.list("priorityclasses.scheduling.k8s.io").find((one) => one["globalDefault"] === true);
    if (typeof name === "string" && !found && builtin[name] === undefined)
      throw forbidden(request.kind, request.name, `no PriorityClass with name ${name} was found`);
    return inSpec(object, (spec) => ({
      ...spec,
      ...(found && { priorityClassName: found.metadata.name }),
      priority: found?.["value"] ?? builtin[String(name)] ?? 0,
      preemptionPolicy: found?.["preemptionPolicy"] ?? "PreemptLowerPriority",
    }));
  },
};

const tokenMount = "/var/run/secrets/kubernetes.io/serviceaccount";

/** A pod runs as a service account that is there, and gets its token unless one of the two says no. */
export const serviceAccount: Admission = {
  mutate: (object, request, { store, context }) => {
    if (!isNewPod(request)) return object;
    const spec = specOf(object);
    const name = String(spec["serviceAccountName"] ?? "default");
    const account = store.get("serviceaccounts", request.namespace, name);
    if (!account)
      throw forbidden(
        request.kind,
        request.name,
        `error looking up service account ${request.namespace}/${name}: serviceaccount ${JSON.stringify(name)} not found`,
      );
    const named = { ...spec, serviceAccountName: name, serviceAccount: name };
    const secrets = asObjects(account["imagePullSecrets"]);
    const pulling =
      asObjects(spec["imagePullSecrets"]).length === 0 && secrets.length > 0
        ? { ...named, imagePullSecrets: secrets }
        : named;
    const isMounted =
      (spec["automountServiceAccountToken"] ?? account["automountServiceAccountToken"] ?? true) === true;
    return inSpec(object, () =>
      isMounted ? withToken(pulling, `kube-api-access-${randomSuffix(context.random)}`) : pulling,
    );
  },
};

function withToken(spec: JsonObject, volume: string): JsonObject {
  const isMissing = (container: JsonObject) =>
    !asObjects(container["volumeMounts"]).some(({ mountPath }) => mountPath === tokenMount);
  const mount = (container: JsonObject): JsonObject =>
    isMissing(container)
      ? {
          ...container,
          volumeMounts: [
            ...asObjects(container["volumeMounts"]),
            { name: volume, readOnly: true, mountPath: tokenMount },
          ],
        }
      : container;
  const mounted = withinEach(withinEach(spec, "containers", mount), "initContainers", mount);
  const projected = {
    defaultMode: 420,
    sources: [
      { serviceAccountToken: { expirationSeconds: 3607, path: "token" } },
      { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
      {
        downwardAPI: {
          items: [{ path: "namespace", fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } }],
        },
      },
    ],
  };
  return { ...mounted, volumes: [...asObjects(spec["volumes"]), { name: volume, projected }] };
}

/** A claim that names no storage class gets the default one. */
export const defaultStorageClass: Admission = {
  mutate: (object, { kind, operation }, { store }) => {
    if (kind.resource !== "persistentvolumeclaims" || operation !== "CREATE") return object;
    if (specOf(object)["storageClassName"] !== undefined) return object;
    const standard = store
      .list("storageclasses.storage.k8s.io")
      .find(
        ({ metadata }) => metadata.annotations?.["storageclass.kubernetes.io/is-default-class"] === "true",
      );
    return standard
      ? inSpec(object, (spec) => ({ ...spec, storageClassName: standard.metadata.name }))
      : object;
  },
};
