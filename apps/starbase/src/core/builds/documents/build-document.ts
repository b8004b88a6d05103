import { createHash } from "node:crypto";
import { hiddenCharsMin } from "@starform/contract/variables";

export type DocumentKind = "sbom" | "provenance";

/** What a build says of its image. */
export type BuildDocument = {
  readonly kind: DocumentKind;
  readonly mediaType: string;
  /** `sha256:…` of the text's bytes. */
  readonly digest: string;
  /** JSON. */
  readonly text: string;
};

export const mediaTypes = {
  sbom: "application/vnd.cyclonedx+json",
  provenance: "application/vnd.in-toto+json",
} as const satisfies Record<DocumentKind, string>;

/** An image that documents are put beside. */
export type AttachTo = {
  readonly projectId: string;
  readonly serviceId: string;
  /** With its digest. */
  readonly image: string;
  readonly imageDigest: string;
};

/** Fixes a document's text. Values of secrets that found their way into it are named instead. */
export function documentOf(
  kind: DocumentKind,
  content: unknown,
  withoutSecrets: (text: string) => string,
): BuildDocument {
  const text = withoutSecrets(JSON.stringify(content));
  const digest = `sha256:${createHash("sha256").update(text).digest("hex")}`;
  return { kind, mediaType: mediaTypes[kind], digest, text };
}

/** Replaces every form in which the value of a secret can stand in JSON, so that the text stays JSON. */
export function secretsOut(
  variables: Readonly<Record<string, string>>,
  secretNames: readonly string[],
): (text: string) => string {
  const forms = secretNames
    .flatMap((name) => {
      const value = variables[name] ?? "";
      const lines = [value, ...value.split("\n")].map((line) => line.trim());
      return lines.flatMap((line) => [line, encodeURIComponent(line)]).map((form) => ({ name, form }));
    })
    .filter(({ form }) => form.length >= hiddenCharsMin)
    .map(({ name, form }) => ({ name, form: JSON.stringify(form).slice(1, -1) }))
    .toSorted((a, b) => b.form.length - a.form.length);
  return (text) => forms.reduce((shown, { name, form }) => shown.replaceAll(form, `[${name}]`), text);
}
