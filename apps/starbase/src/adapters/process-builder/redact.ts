import { hiddenCharsMin } from "@starform/contract/variables";

/**
 * Replaces the values of secrets in text that is shown or kept. A secret of several lines is hidden line by line,
 * since output arrives in lines.
 */
export function redactor(secrets: Readonly<Record<string, string>>): (text: string) => string {
  const hidden = Object.entries(secrets)
    .flatMap(([name, value]) =>
      [
        value,
        ...value.split("\n"),
        encodeURIComponent(value),
        Buffer.from(value).toString("base64").replace(/=+$/, ""),
      ]
        .map((form) => form.trim())
        .filter((form) => form.length >= hiddenCharsMin)
        .map((form) => ({ form, name })),
    )
    .sort((a, b) => b.form.length - a.form.length);
  if (hidden.length === 0) return (text) => text;
  return (text) => hidden.reduce((shown, { form, name }) => shown.replaceAll(form, `[${name}]`), text);
}
