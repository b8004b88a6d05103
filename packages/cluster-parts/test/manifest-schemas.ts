import type { KubeObject } from "@starform/kubernetes/kube-api";
import { bundledDefinitions, publishedSchemas } from "@starform/testkit/kubernetes/schema/load-schemas";
import { extraSchemas } from "@starform/testkit/kubernetes/kinds/extra-kinds";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";

type Node = { [key: string]: unknown };
const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null;

/** Refuses fields that are not named, as the server does with `fieldValidation=Strict`, and what only a server may write. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (!isNode(schema)) return schema;
  const inner = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  const isOpen =
    !isNode(schema["properties"]) ||
    "additionalProperties" in schema ||
    schema["x-kubernetes-preserve-unknown-fields"] === true;
  return isOpen ? inner : { ...inner, additionalProperties: false };
}

/** References point to `#/$defs/<name>`; a kind's own definition is found by its group, version and kind. */
const published = closed(
  JSON.parse(
    JSON.stringify({ ...publishedSchemas(), ...extraSchemas() }).replaceAll(
      "#/components/schemas/",
      "#/$defs/",
    ),
  ),
) as Node;
const kinds = new Map<string, object>();
for (const [name, schema] of Object.entries(published))
  for (const at of (isNode(schema) ? (schema["x-kubernetes-group-version-kind"] ?? []) : []) as Node[])
    kinds.set(
      `${at["group"] ? `${String(at["group"])}/` : ""}${String(at["version"])}/${String(at["kind"])}`,
      {
        $ref: `#/$defs/${name}`,
      },
    );

type Definition = {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly {
      readonly name: string;
      readonly schema: { readonly openAPIV3Schema: Node };
    }[];
  };
};
for (const { spec } of [
  ...bundledDefinitions("gateway-api"),
  ...bundledDefinitions("envoy-gateway"),
] as unknown as Definition[])
  for (const { name, schema } of spec.versions) {
    const { properties, ...rest } = closed(schema.openAPIV3Schema) as Node & { properties: Node };
    kinds.set(`${spec.group}/${name}/${spec.names.kind}`, {
      ...rest,
      properties: { ...properties, metadata: { type: "object" } },
    });
  }

// The formats of Kubernetes (int32, byte) are not JSON Schema's.
const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
const validators = new Map<string, ValidateFunction>();

/** What the API server would find wrong with an object; empty for a right one. */
export function problemsOf(object: KubeObject): readonly string[] {
  const kind = `${object.apiVersion}/${object.kind}`;
  const schema = kinds.get(kind);
  if (!schema) return [`there is no schema of ${kind}`];
  const validate = validators.get(kind) ?? ajv.compile({ ...schema, $defs: published });
  validators.set(kind, validate);
  const isRight: boolean = validate(object);
  if (isRight) return [];
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) =>
      `${object.kind} ${object.metadata.name}${instancePath} ${message} ${JSON.stringify(params)}`,
  );
}
