import { duplicate, invalid, notSupported, required, type FieldError } from "../model/field-error.ts";
import { asObject, asObjects, type Json, type JsonObject } from "../model/json.ts";
import { parseQuantity } from "../model/quantity.ts";
import { labelNameErrors } from "../model/names.ts";

/** What the API server checks of a pod's spec beyond its schema, as far as a platform's pods can break it. */
export function validatePodSpec(spec: JsonObject, path: string): readonly FieldError[] {
  const containers = asObjects(spec["containers"]);
  const volumes = asObjects(spec["volumes"]);
  const volumeNames = new Set(volumes.map(({ name }) => name));
  return [
    ...(containers.length === 0 ? [required(`${path}.containers`)] : []),
    ...named(volumes, `${path}.volumes`),
    ...named(containers, `${path}.containers`),
    ...containers.flatMap((container, index) =>
      validateContainer(container, `${path}.containers[${index}]`, volumeNames),
    ),
    ...asObjects(spec["initContainers"]).flatMap((container, index) =>
      validateContainer(container, `${path}.initContainers[${index}]`, volumeNames),
    ),
    ...oneOf(spec["restartPolicy"], `${path}.restartPolicy`, ["Always", "OnFailure", "Never"]),
    ...oneOf(spec["dnsPolicy"], `${path}.dnsPolicy`, [
      "ClusterFirst",
      "ClusterFirstWithHostNet",
      "Default",
      "None",
    ]),
  ];
}

export const oneOf = (
  value: Json | undefined,
  path: string,
  supported: readonly string[],
): readonly FieldError[] =>
  typeof value === "string" && !supported.includes(value)
    ? [notSupported(path, value, supported.toSorted())]
    : [];

/** Every item has a name, a valid one, and no two have the same. */
function named(items: readonly JsonObject[], path: string): readonly FieldError[] {
  const seen = new Set<Json>();
  return items.flatMap(({ name }, index) => {
    const field = `${path}[${index}].name`;
    if (typeof name !== "string" || name === "") return [required(field)];
    if (seen.has(name)) return [duplicate(field, name)];
    seen.add(name);
    return labelNameErrors(name, field);
  });
}

function validateContainer(
  container: JsonObject,
  path: string,
  volumes: ReadonlySet<Json | undefined>,
): readonly FieldError[] {
  const image = container["image"];
  return [
    ...(typeof image === "string" && image !== "" ? [] : [required(`${path}.image`)]),
    ...asObjects(container["ports"]).flatMap(({ containerPort }, index) =>
      portErrors(containerPort, `${path}.ports[${index}].containerPort`),
    ),
    ...asObjects(container["env"]).flatMap(({ name }, index) =>
      typeof name === "string" && name !== "" ? [] : [required(`${path}.env[${index}].name`)],
    ),
    ...asObjects(container["volumeMounts"]).flatMap(({ name, mountPath }, index) => [
      ...(volumes.has(name)
        ? []
        : [
            {
              reason: "FieldValueNotFound",
              message: `Not found: ${JSON.stringify(name)}`,
              field: `${path}.volumeMounts[${index}].name`,
            },
          ]),
      ...(mountPath ? [] : [required(`${path}.volumeMounts[${index}].mountPath`)]),
    ]),
    ...oneOf(container["imagePullPolicy"], `${path}.imagePullPolicy`, ["Always", "IfNotPresent", "Never"]),
    ...resourceErrors(asObject(container["resources"]), `${path}.resources`),
  ];
}

export const portErrors = (port: Json | undefined, path: string): readonly FieldError[] => {
  if (port === undefined) return [required(path)];
  return typeof port === "number" && port >= 1 && port <= 65_535
    ? []
    : [invalid(path, port, "must be between 1 and 65535, inclusive")];
};

function resourceErrors(resources: JsonObject, path: string): readonly FieldError[] {
  const limits = asObject(resources["limits"]);
  const requests = asObject(resources["requests"]);
  const unreadable = (["limits", "requests"] as const).flatMap((part) =>
    Object.entries(asObject(resources[part])).flatMap(([name, amount]) =>
      (parseQuantity(amount as string) ?? 0n) < 0n
        ? [invalid(`${path}.${part}[${name}]`, amount, "must be greater than or equal to 0")]
        : [],
    ),
  );
  const above = Object.entries(requests).flatMap(([name, amount]) => {
    const limit = limits[name];
    const [asked, most] = [parseQuantity(amount as string), limit && parseQuantity(limit as string)];
    return typeof most === "bigint" && asked !== undefined && asked > most
      ? [
          invalid(
            `${path}.requests`,
            amount,
            `must be less than or equal to ${name} limit of ${String(limit)}`,
          ),
        ]
      : [];
  });
  return [...unreadable, ...above];
}
