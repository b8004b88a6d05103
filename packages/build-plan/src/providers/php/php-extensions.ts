import type { PlanDraft } from "../../plan-draft.ts";
import type { SourceTree } from "../../source-tree.ts";

export const isLaravel = (tree: SourceTree): boolean => tree.hasFile("artisan");

const laravel = [
  "ctype",
  "curl",
  "dom",
  "fileinfo",
  "filter",
  "hash",
  "mbstring",
  "openssl",
  "pcre",
  "pdo",
  "session",
  "tokenizer",
  "xml",
];
const databases: Record<string, string> = { mysql: "pdo_mysql", mariadb: "pdo_mysql", pgsql: "pdo_pgsql" };

/** The extensions a source needs: what composer.json requires, what Laravel needs, what the variables' databases speak. */
export function phpExtensions(draft: PlanDraft): string[] {
  const { tree, variables } = draft;
  const required = requiredPackages(tree);
  const names = [
    ...required.filter((name) => name.startsWith("ext-")).map((name) => name.slice("ext-".length)),
    ...(variables.get("PHP_EXTENSIONS")?.split(/[\s,]+/) ?? []),
    ...(isLaravel(tree) ? laravel : []),
    databases[variables.plain("DB_CONNECTION") ?? ""] ?? "",
    needsRedis(draft, required) ? "redis" : "",
  ];
  return [...new Set(names.filter((name) => /^[\w@.-]+$/.test(name)))];
}

function requiredPackages(tree: SourceTree): string[] {
  const composer = tree.readJson("composer.json") as { require?: unknown } | null | undefined;
  return typeof composer?.require === "object" && composer.require !== null
    ? Object.keys(composer.require).toSorted()
    : [];
}

function needsRedis({ variables }: PlanDraft, required: readonly string[]): boolean {
  const isSet = ["REDIS_HOST", "REDIS_URL"].some((name) => variables.plain(name));
  const isUsed = ["CACHE_DRIVER", "CACHE_STORE", "SESSION_DRIVER", "QUEUE_CONNECTION"].some(
    (name) => variables.plain(name) === "redis",
  );
  return isSet || isUsed || required.some((name) => name.includes("redis"));
}
