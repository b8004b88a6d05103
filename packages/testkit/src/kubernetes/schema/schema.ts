import type { Json, JsonObject } from "../model/json.ts";

export type CelRule = {
  readonly rule: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly reason?: string;
  readonly fieldPath?: string;
  readonly optionalOldSelf?: boolean;
};

/** A schema as the API server publishes it, with every reference already followed. */
export type Schema = {
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly enum?: readonly Json[];
  readonly default?: Json;
  readonly nullable?: boolean;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: boolean;
  readonly exclusiveMaximum?: boolean;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly not?: Schema;
  readonly "x-kubernetes-list-type"?: "atomic" | "set" | "map";
  readonly "x-kubernetes-list-map-keys"?: readonly string[];
  readonly "x-kubernetes-map-type"?: "atomic" | "granular";
  readonly "x-kubernetes-patch-strategy"?: string;
  readonly "x-kubernetes-patch-merge-key"?: string;
  readonly "x-kubernetes-preserve-unknown-fields"?: boolean;
  readonly "x-kubernetes-int-or-string"?: boolean;
  readonly "x-kubernetes-embedded-resource"?: boolean;
  readonly "x-kubernetes-validations"?: readonly CelRule[];
  readonly "x-kubernetes-group-version-kind"?: readonly JsonObject[];
  /** The name of the definition, like `io.k8s.api.core.v1.Container`. */
  readonly title?: string;
};

export const anything: Schema = { "x-kubernetes-preserve-unknown-fields": true };

const isNamed = (schema: Schema | undefined, ending: string): boolean =>
  schema?.title?.endsWith(ending) ?? false;
export const isQuantity = (schema: Schema | undefined): boolean => isNamed(schema, ".resource.Quantity");
export const isIntOrString = (schema: Schema | undefined): boolean =>
  isNamed(schema, ".intstr.IntOrString") || schema?.["x-kubernetes-int-or-string"] === true;

/** The schema keeps whatever it is given: no fields are named, and none are refused. */
export const isFree = (schema: Schema): boolean =>
  !schema.properties &&
  typeof schema.additionalProperties !== "object" &&
  (schema["x-kubernetes-preserve-unknown-fields"] === true ||
    schema.additionalProperties === true ||
    isNamed(schema, ".FieldsV1") ||
    isNamed(schema, ".RawExtension") ||
    isNamed(schema, ".apiextensions.v1.JSON") ||
    schema.type === undefined);

/** The schema of a field of an object, or undefined when the object has no such field. */
export const fieldSchema = (schema: Schema, field: string): Schema | undefined => {
  const named = schema.properties?.[field];
  if (named) return named;
  if (typeof schema.additionalProperties === "object") return schema.additionalProperties;
  return isFree(schema) || schema["x-kubernetes-preserve-unknown-fields"] ? anything : undefined;
};

export const isStructField = (schema: Schema, field: string): boolean =>
  schema.properties?.[field] !== undefined;
