import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";

export type Alert = {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly consequence: string; readonly runbook: string };
};

export const repository = fileURLToPath(new URL("../../../../", import.meta.url));
const folder = `${repository}deploy/alerts/`;
export const alertFiles: readonly string[] = readdirSync(folder).map((name) => folder + name);

export const alerts: readonly Alert[] = alertFiles.flatMap((path) => {
  const { groups } = parse(readFileSync(path, "utf8")) as { groups: { rules: Alert[] }[] };
  return groups.flatMap(({ rules }) => rules);
});

/** The metrics that an expression reads: words before a selector or a range, and words that stand alone and are no function. */
export function metricsOf(expr: string): readonly string[] {
  const bare = expr
    .replaceAll(/"[^"]*"/g, '""')
    .replaceAll(/\{[^}]*\}/g, "{}")
    .replaceAll(/\b(by|on|without|ignoring|group_left|group_right) ?\([^)]*\)/g, " ");
  const words = [...bare.matchAll(/[a-zA-Z_:][a-zA-Z0-9_:]*(?!\w)(?! *\()/g)].map(([word]) => word);
  return [...new Set(words)].filter(
    (word) => !["and", "or", "unless", "offset", "bool", "m", "h", "d", "s"].includes(word),
  );
}
