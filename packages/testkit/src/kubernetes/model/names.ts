import { invalid, required, type FieldError } from "./field-error.ts";
import type { Meta } from "./object.ts";

type Rule = { readonly pattern: RegExp; readonly longest: number; readonly text: string };

const labelPattern = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const label: Rule = {
  pattern: /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/,
  longest: 63,
  text: `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '${labelPattern}')`,
};
const subdomain: Rule = {
  pattern: /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
  longest: 253,
  text: `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${labelPattern}(\\.${labelPattern})*')`,
};
const service: Rule = {
  pattern: /^[a-z]([-a-z0-9]*[a-z0-9])?$/,
  longest: 63,
  text: "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
};
const segment: Rule = { pattern: /^(?!\.{1,2}$)[^/%]+$/, longest: 253, text: "may not contain '/' or '%'" };
export const nameRules = { label, subdomain, service, segment } as const;

export const ruleErrors = (rule: Rule, value: string, field: string): readonly FieldError[] => [
  ...(value.length > rule.longest
    ? [invalid(field, value, `must be no more than ${rule.longest} characters`)]
    : []),
  ...(rule.pattern.test(value) ? [] : [invalid(field, value, rule.text)]),
];
export const labelNameErrors = (value: string, field: string): readonly FieldError[] =>
  ruleErrors(label, value, field);

const qualifiedText =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const valueText =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

const keyText =
  "a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";

function keyErrors(key: string, field: string): readonly FieldError[] {
  if (key.split("/").length > 2) return [invalid(field, key, keyText)];
  const slash = key.indexOf("/");
  const name = key.slice(slash + 1);
  return [
    ...(slash > 0 && !subdomain.pattern.test(key.slice(0, slash))
      ? [invalid(field, key, `prefix part ${subdomain.text}`)]
      : []),
    ...(name.length > 63 ? [invalid(field, key, "name part must be no more than 63 bytes")] : []),
    ...(/^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/.test(name) ? [] : [invalid(field, key, qualifiedText)]),
  ];
}

function labelErrors(labels: Readonly<Record<string, string>>, field: string): readonly FieldError[] {
  return Object.entries(labels).flatMap(([key, value]) => [
    ...keyErrors(key, field),
    ...(value.length > 63 ? [invalid(field, value, "must be no more than 63 bytes")] : []),
    ...(/^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/.test(value)
      ? []
      : [invalid(field, value, valueText)]),
  ]);
}

const detailOf =
  (value: string) =>
  (error: FieldError): string =>
    error.message.replace(`Invalid value: ${JSON.stringify(value)}: `, "");
/** What is wrong with a label's key, in words without a field. */
export const labelKeyErrors = (key: string): readonly string[] => keyErrors(key, "").map(detailOf(key));
export const labelValueErrors = (value: string): readonly string[] =>
  labelErrors({ key: value }, "").map(detailOf(value));

/** Finalizers of Kubernetes itself may do without a domain. */
const ownFinalizers = ["kubernetes", "orphan", "foregroundDeletion"];
const finalizerErrors = (finalizers: readonly string[], isOfCore: boolean): readonly FieldError[] =>
  finalizers.flatMap((name, at) => {
    const wrong = keyErrors(name, "metadata.finalizers");
    if (wrong.length > 0) return wrong;
    return !isOfCore || name.includes("/") || ownFinalizers.includes(name)
      ? []
      : [
          invalid(
            `metadata.finalizers[${at}]`,
            name,
            "name is neither a standard finalizer name nor is it fully qualified",
          ),
        ];
  });

const annotationBytesMax = 256 * 1024;

function ownerErrors(owners: NonNullable<Meta["ownerReferences"]>): readonly FieldError[] {
  const field = "metadata.ownerReferences";
  const controllers = owners.filter(({ controller }) => controller);
  const names = controllers.map(({ kind, name }) => `${kind}/${name}`);
  return [
    ...owners.flatMap((owner) => [
      ...(["apiVersion", "kind", "name", "uid"] as const)
        .filter((part) => !owner[part])
        .map((part) =>
          invalid(
            `${field}.${part === "apiVersion" ? "version" : part}`,
            owner[part] ?? "",
            "must not be empty",
          ),
        ),
      ...(owner.apiVersion === "v1" && owner.kind === "Event"
        ? [invalid(field, { ...owner }, "/v1, Kind=Event is disallowed from being an owner")]
        : []),
    ]),
    ...(names.length > 1
      ? [
          invalid(
            field,
            owners.map((owner) => ({ ...owner })),
            `Only one reference can have Controller set to true. Found "true" in references for ${names.slice(0, 2).join(" and ")}`,
          ),
        ]
      : []),
  ];
}

/** What is wrong with an object's metadata; the name's rule depends on the kind. */
export function metaErrors(meta: Meta, rule: Rule, isOfCore: boolean): readonly FieldError[] {
  const annotations = Object.entries(meta.annotations ?? {});
  const bytes = annotations.reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  return [
    ...(meta.name
      ? ruleErrors(rule, meta.name, "metadata.name")
      : [required("metadata.name", "name or generateName is required")]),
    ...labelErrors(meta.labels ?? {}, "metadata.labels"),
    ...annotations.flatMap(([key]) => keyErrors(key.toLowerCase(), "metadata.annotations")),
    ...(bytes > annotationBytesMax
      ? [
          {
            reason: "FieldValueTooLong",
            message: `Too long: may not be more than ${annotationBytesMax} bytes`,
            field: "metadata.annotations",
          },
        ]
      : []),
    ...ownerErrors(meta.ownerReferences ?? []),
    ...finalizerErrors(meta.finalizers ?? [], isOfCore),
  ];
}
