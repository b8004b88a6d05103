import { invalid, required } from "../model/field-error.ts";
import { asObject, asObjects, put, withDefaults, type JsonObject } from "../model/json.ts";
import type { Stored } from "../model/object.ts";
import { inSpec, specOf } from "./in-spec.ts";
import type { Strategy } from "./kind.ts";

const namesDefaults = (names: JsonObject): JsonObject => {
  const kind = String(names["kind"] ?? "");
  return withDefaults(names, { singular: kind.toLowerCase(), listKind: `${kind}List` });
};

/** Custom resource definitions. Their status is written by the controller that begins to serve them. */
export const definitions: Strategy = {
  defaults: (object) =>
    inSpec(object, (spec) => ({
      ...withDefaults(spec, { conversion: { strategy: "None" } }),
      names: namesDefaults(asObject(spec["names"])),
    })),
  onCreate: (object) =>
    put(object, ["status"], {
      conditions: null,
      acceptedNames: { plural: "", kind: "" },
      storedVersions: storedVersions(object),
    }) as Stored,
  validate: (object) => {
    const spec = specOf(object);
    const expected = `${String(asObject(spec["names"])["plural"])}.${String(spec["group"])}`;
    return [
      ...(object.metadata.name === expected
        ? []
        : [invalid("metadata.name", object.metadata.name, `must be spec.names.plural+"."+spec.group`)]),
      ...(storedVersions(object).length === 1
        ? []
        : [
            invalid(
              "spec.versions",
              spec["versions"],
              "must have exactly one version marked as storage version",
            ),
          ]),
      ...asObjects(spec["versions"]).flatMap((version, index) =>
        version["schema"] === undefined
          ? [required(`spec.versions[${index}].schema.openAPIV3Schema`, "schemas are required")]
          : [],
      ),
    ];
  },
};

const storedVersions = (object: Stored): readonly string[] =>
  asObjects(specOf(object)["versions"])
    .filter(({ storage }) => storage === true)
    .map(({ name }) => String(name));
