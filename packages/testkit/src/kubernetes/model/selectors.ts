import { badRequest } from "./api-error.ts";
import { holds } from "./label-selector.ts";
import { parseLabelSelector } from "./label-selector-text.ts";
import { at, type Json } from "./json.ts";
import type { Stored } from "./object.ts";

export type Matcher = (object: Stored) => boolean;

/** Splits at commas. */
const partsOf = (text: string): readonly string[] =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter(Boolean);

/** What `labelSelector` says, as a test of an object. */
export function labelMatcher(text: string | null): Matcher {
  const requirements = parseLabelSelector(text ?? "");
  if (requirements.length === 0) return () => true;
  return ({ metadata }) => requirements.every((one) => holds(one, metadata.labels ?? {}));
}

const fieldText = (value: Json | undefined): string =>
  value === undefined || value === null ? "" : String(value);

/** What `fieldSelector` says; fields that the kind does not offer are refused. */
export function fieldMatcher(
  text: string | null,
  {
    selectableFields: offered,
    isCustom,
  }: { readonly selectableFields: readonly string[]; readonly isCustom: boolean },
): Matcher {
  const refusal = (path: string): string =>
    isCustom || offered.length > 0
      ? `field label not supported: ${path}`
      : `${JSON.stringify(path)} is not a known field selector: only "metadata.name", "metadata.namespace"`;
  const conditions = partsOf(text ?? "").map((part) => {
    const [, path = "", sign = "", value = ""] = /^([^=!]+)(==|=|!=)(.*)$/.exec(part) ?? [];
    if (!sign) throw badRequest(`invalid selector: '${text}'; can't understand '${part}'`);
    if (!["metadata.name", "metadata.namespace", ...offered].includes(path)) throw badRequest(refusal(path));
    return { path: path.split("."), isEqual: sign !== "!=", value };
  });
  if (conditions.length === 0) return () => true;
  return (object) =>
    conditions.every(({ path, isEqual, value }) => (fieldText(at(object, ...path)) === value) === isEqual);
}
