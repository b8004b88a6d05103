import { forbiddenField, invalid, type FieldError } from "../model/field-error.ts";
import { metaErrors, nameRules } from "../model/names.ts";
import type { Stored } from "../model/object.ts";
import { ruleErrors } from "../schema/custom-rules.ts";
import { customErrors } from "../schema/custom-values.ts";
import type { Kind } from "./kind.ts";

/** All that is wrong with an object by itself. */
export function validateObject(object: Stored, kind: Kind): readonly FieldError[] {
  const isOfCore = !kind.isCustom && kind.group !== "apiextensions.k8s.io";
  const meta = metaErrors(object.metadata, nameRules[kind.nameRule], isOfCore);
  if (!kind.isCustom) return [...meta, ...(kind.strategy.validate?.(object) ?? [])];
  return [...meta, ...customErrors(object, kind.schema)];
}

type Change = { readonly kind: Kind; readonly subresource?: string | undefined };

/** All that is wrong with going from one version of an object to the next. */
export function validateChange(
  object: Stored,
  live: Stored,
  { kind, subresource }: Change,
): readonly FieldError[] {
  const added = (object.metadata.finalizers ?? []).filter((one) => !live.metadata.finalizers?.includes(one));
  return [
    ...(live.metadata.deletionTimestamp !== undefined && added.length > 0
      ? [
          forbiddenField(
            "metadata.finalizers",
            `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map((one) => JSON.stringify(one)).join(", ")}}`,
          ),
        ]
      : []),
    ...(kind.isCustom ? ruleErrors(object, live, kind.schema) : []),
    ...(subresource === undefined ? (kind.strategy.validateUpdate?.(object, live) ?? []) : []),
  ];
}

/** The version that a replacement was made of must be named for kinds that do not allow a blind one. */
export const versionErrors = (given: string | undefined, kind: Kind): readonly FieldError[] =>
  given || kind.allowsBlindUpdate
    ? []
    : [invalid("metadata.resourceVersion", 0, "must be specified for an update")];
