import { quoted } from "./bind-parameters.ts";
import { EngineError } from "./engine-error.ts";

/** What a request asks of the engine, told apart because each kind has its fastest way in. */
export type Statement =
  | { readonly kind: "read"; readonly sql: string; readonly format: string }
  | { readonly kind: "other"; readonly sql: string; readonly format: string; readonly isReadOnly: boolean };

/** An insert whose rows go to the engine as they came, without being read here. */
export type RawInsert = {
  readonly table: string;
  readonly columns: readonly string[] | undefined;
  readonly format: RawFormat;
  readonly settings: Readonly<Record<string, string>>;
};
const rawFormats = [
  "JSONEachRow",
  "JSONCompactEachRow",
  "CSV",
  "CSVWithNames",
  "TSV",
  "TabSeparated",
] as const;
export type RawFormat = (typeof rawFormats)[number];

export type Settings = ReadonlyMap<string, string>;

const rawInsert =
  /^\s*INSERT\s+INTO\s+(?:TABLE\s+)?([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)?)\s*(?:\(([\s\w,`]+)\)\s*)?FORMAT\s+(\w+)\s*;?\s*$/i;

/** The insert that `sql` is, if its rows come separately in a format the engine takes as bytes. */
export function rawInsertOf(sql: string, settings: Settings): RawInsert | undefined {
  const [, table, columns, format] = rawInsert.exec(sql) ?? [];
  const known = rawFormats.find((name) => name === format);
  if (!table || !known) return undefined;
  return {
    table,
    columns: columns?.split(",").map((name) => name.replaceAll("`", "").trim()),
    format: known,
    settings: Object.fromEntries([...settings].map(([name, value]) => [settingName(name), value])),
  };
}

/** Classifies any other statement and hangs the settings of the request on it. */
export function statementOf(sql: string, settings: Settings, defaultFormat: string): Statement {
  const body = sql.replace(/[\s;]+$/, "");
  const first = /^(?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/|\()*([A-Za-z]+)/.exec(body)?.[1]?.toUpperCase() ?? "";
  if (first === "")
    throw new EngineError(62, "SYNTAX_ERROR", "The query is empty: send SQL in ?query= or in the body");
  const isInsert = first === "INSERT";
  const written = isInsert ? undefined : /\bFORMAT\s+(\w+)\s*(SETTINGS\b[\s\S]*)?$/i.exec(body)?.[1];
  const format = written ?? defaultFormat;
  // DELETE and UPDATE take settings but no format.
  const mayHaveFormat = written === undefined && !["DELETE", "UPDATE"].includes(first);
  const full = isInsert
    ? withInsertSettings(body, settings)
    : withSettings(body, settings, mayHaveFormat ? format : undefined);
  if (first === "SELECT" || first === "WITH") return { kind: "read", sql: full, format };
  return { kind: "other", sql: full, format, isReadOnly: readOnlyWords.has(first) };
}

const readOnlyWords = new Set(["SHOW", "DESCRIBE", "DESC", "EXISTS", "EXPLAIN"]);

/** A trailing SETTINGS is only unambiguous after FORMAT, so the format is written out first. */
function withSettings(sql: string, settings: Settings, format: string | undefined): string {
  if (settings.size === 0) return sql;
  return `${sql}${format === undefined ? "" : `\nFORMAT ${format}`}\nSETTINGS ${clauseOf(settings)}`;
}

function withInsertSettings(sql: string, settings: Settings): string {
  if (settings.size === 0) return sql;
  const clause = ` SETTINGS ${clauseOf(settings)} `;
  return sql.replace(/\b(FORMAT|VALUES|SELECT|WITH)\b/i, (word) => `${clause}${word}`);
}

const clauseOf = (settings: Settings): string =>
  [...settings].map(([name, value]) => `${settingName(name)} = ${quoted(value)}`).join(", ");

function settingName(name: string): string {
  if (/^[A-Za-z_]\w*$/.test(name)) return name;
  throw new EngineError(115, "UNKNOWN_SETTING", `${JSON.stringify(name)} is not the name of a setting`);
}
