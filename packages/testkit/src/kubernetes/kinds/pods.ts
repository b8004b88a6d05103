import { forbiddenField, invalid, required, type FieldError } from "../model/field-error.ts";
import { asObject, asObjects, equal, omit, withDefaults, type JsonObject } from "../model/json.ts";
import type { Stored } from "../model/object.ts";
import { parseQuantity } from "../model/quantity.ts";
import { inSpec, specOf } from "./in-spec.ts";
import type { Strategy } from "./kind.ts";
import { containersOf, podSpecDefaults } from "./pod-defaults.ts";
import { validatePodSpec } from "./pod-validation.ts";

/** Who is evicted first when a node runs out: by what the containers ask for and may use. */
export function qosClass(podSpec: JsonObject): "Guaranteed" | "Burstable" | "BestEffort" {
  const resources = containersOf(podSpec).map((container) => asObject(container["resources"]));
  const asks = resources.some(
    ({ requests, limits }) => Object.keys({ ...asObject(requests), ...asObject(limits) }).length > 0,
  );
  if (!asks) return "BestEffort";
  const isExact = resources.every(({ requests, limits }) =>
    ["cpu", "memory"].every((name) => {
      const limit = asObject(limits)[name];
      const request = asObject(requests)[name] ?? limit;
      return limit !== undefined && parseQuantity(limit as string) === parseQuantity(request as string);
    }),
  );
  return isExact ? "Guaranteed" : "Burstable";
}

const frozenText =
  "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

const comparable = (spec: JsonObject): JsonObject => ({
  ...omit(spec, "activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds", "schedulingGates"),
  containers: asObjects(spec["containers"]).map((container) => omit(container, "image")),
  initContainers: asObjects(spec["initContainers"]).map((container) => omit(container, "image")),
});

export const pods: Strategy = {
  defaults: (object) => inSpec(object, (spec) => podSpecDefaults(spec, false)),
  onCreate: (object) => ({ ...object, status: { phase: "Pending", qosClass: qosClass(specOf(object)) } }),
  validate: (object) => validatePodSpec(specOf(object), "spec"),
  validateUpdate: (object, old): readonly FieldError[] =>
    equal(comparable(specOf(object)), comparable(specOf(old))) ? [] : [forbiddenField("spec", frozenText)],
};

const dataKey = /^[-._a-zA-Z0-9]+$/;
const dataKeyErrors = (data: JsonObject, field: string): readonly FieldError[] =>
  Object.keys(data).flatMap((key) =>
    dataKey.test(key)
      ? []
      : [
          invalid(
            `${field}[${key}]`,
            key,
            "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
          ),
        ],
  );
const sizeMax = 1_048_576;
const sizeErrors = (data: JsonObject, field: string): readonly FieldError[] => {
  const bytes = Object.values(data).reduce<number>((sum, value) => sum + Buffer.byteLength(String(value)), 0);
  return bytes > sizeMax
    ? [{ reason: "FieldValueTooLong", message: `Too long: may not be more than ${sizeMax} bytes`, field }]
    : [];
};
/** An object that says `immutable: true` keeps its data, and keeps saying it. */
const immutableErrors =
  (fields: readonly string[]) =>
  (object: Stored, old: Stored): readonly FieldError[] => {
    if (old["immutable"] !== true) return [];
    return [
      ...(object["immutable"] === true
        ? []
        : [forbiddenField("immutable", "field is immutable when `immutable` is set")]),
      ...fields.flatMap((field) =>
        equal(object[field], old[field])
          ? []
          : [forbiddenField(field, "field is immutable when `immutable` is set")],
      ),
    ];
  };

export const configMaps: Strategy = {
  validate: (object) => [
    ...dataKeyErrors(asObject(object["data"]), "data"),
    ...dataKeyErrors(asObject(object["binaryData"]), "binaryData"),
    ...sizeErrors(asObject(object["data"]), ""),
  ],
  validateUpdate: immutableErrors(["data", "binaryData"]),
};

export const secrets: Strategy = {
  defaults: (object) => {
    const { stringData, ...rest } = withDefaults(object, { type: "Opaque" }) as Stored & JsonObject;
    const written = Object.entries(asObject(stringData)).map(
      ([key, value]) => [key, Buffer.from(String(value)).toString("base64")] as const,
    );
    if (written.length === 0) return rest as Stored;
    return { ...rest, data: { ...asObject(rest["data"]), ...Object.fromEntries(written) } } as Stored;
  },
  validate: (object) => {
    const needed = object["type"] === "kubernetes.io/dockerconfigjson" ? ".dockerconfigjson" : undefined;
    const data = asObject(object["data"]);
    return [
      ...dataKeyErrors(data, "data"),
      ...sizeErrors(data, "data"),
      ...(needed && data[needed] === undefined ? [required(`data[${needed}]`)] : []),
    ];
  },
  validateUpdate: (object, old) => [
    ...immutableErrors(["data"])(object, old),
    ...(object["type"] === old["type"] ? [] : [invalid("type", object["type"], "field is immutable")]),
  ],
};
