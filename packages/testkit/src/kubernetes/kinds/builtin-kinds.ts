import { kubernetesSchemas } from "../schema/load-schemas.ts";
import type { Schema } from "../schema/schema.ts";
import { builtinTable } from "./builtin-table.ts";
import type { Row } from "./kind-row.ts";
import { columnsOf } from "./columns.ts";
import { extraSchemas } from "./extra-kinds.ts";
import type { Kind } from "./kind.ts";

function schemasByKind(): ReadonlyMap<string, Schema> {
  const all = { ...kubernetesSchemas(), ...extraSchemas() };
  return new Map(
    Object.values(all).flatMap((schema) =>
      (schema["x-kubernetes-group-version-kind"] ?? []).map(
        ({ group, version, kind }) =>
          [`${String(group)}/${String(version)}/${String(kind)}`, schema] as const,
      ),
    ),
  );
}

export function builtinKinds(): readonly Kind[] {
  const schemas = schemasByKind();
  return Object.entries(builtinTable).flatMap(([groupVersion, rows]) => {
    const [group = "", version = ""] = groupVersion.split("/");
    return rows.map((row): Kind => {
      const schema = schemas.get(`${groupVersion}/${row.kind}`);
      if (!schema) throw new Error(`no schema of ${groupVersion}/${row.kind}`);
      return toKind(row, { group, version, schema });
    });
  });
}

function toKind(
  row: Row,
  { group, version, schema }: { group: string; version: string; schema: Schema },
): Kind {
  const singular = row.kind.toLowerCase();
  const plural = row.plural ?? `${singular}s`;
  return {
    group,
    version,
    kind: row.kind,
    plural,
    singular,
    listKind: `${row.kind}List`,
    shortNames: row.short?.split(",") ?? [],
    categories: row.all ? ["all"] : [],
    namespaced: !row.cluster,
    resource: group ? `${plural}.${group}` : plural,
    schema,
    isCustom: false,
    hasStatus: row.status ?? false,
    hasGeneration: row.generation ?? false,
    isGraceful: row.kind === "Pod",
    allowsBlindUpdate: !row.strict,
    nameRule: row.names ?? "subdomain",
    scale: row.scale,
    columns: columnsOf(row.kind),
    selectableFields: row.fields ?? [],
    strategy: row.strategy ?? {},
  };
}
