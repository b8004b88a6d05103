import { apiVersionOf, type Kind } from "../kinds/kind.ts";
import type { Registry } from "../kinds/registry.ts";
import { isObject, type Json, type JsonObject } from "../model/json.ts";
import { publishedSchemas } from "../schema/load-schemas.ts";
import type { ApiResponse } from "./api-request.ts";

const prefix = "#/components/schemas/";

/** Names of the definitions that a schema refers to. */
function refsIn(value: Json | undefined): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(refsIn);
  if (!isObject(value)) return [];
  const own = typeof value["$ref"] === "string" ? [value["$ref"].slice(prefix.length)] : [];
  return [...own, ...Object.values(value).flatMap(refsIn)];
}

/** Those definitions and all that they need. */
function closure(names: readonly string[], all: JsonObject): JsonObject {
  const found: Record<string, Json | undefined> = {};
  const todo = [...names];
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    if (found[name] !== undefined || all[name] === undefined) continue;
    found[name] = all[name];
    todo.push(...refsIn(all[name]));
  }
  return found;
}

const gvkOf = ({ group, version, kind }: Kind): JsonObject => ({ group, version, kind });
const parameter = (name: string): JsonObject => ({
  name,
  in: "query",
  schema: { type: "string", uniqueItems: true },
});
const writes = ["dryRun", "fieldManager", "fieldValidation"].map(parameter);

/** The operations by which clients find out what a kind's writes understand. */
function pathsOf(kind: Kind): JsonObject {
  const root = kind.group ? `/apis/${apiVersionOf(kind)}` : `/api/${kind.version}`;
  const all = `${root}${kind.namespaced ? "/namespaces/{namespace}" : ""}/${kind.plural}`;
  const operation = (action: string): JsonObject => ({
    operationId: `${action}${kind.group.replace(/\W/g, "")}${kind.version}${kind.kind}`,
    parameters: action === "patch" ? [...writes, parameter("force")] : writes,
    responses: { "200": { description: "OK" } },
    "x-kubernetes-action": action,
    "x-kubernetes-group-version-kind": gvkOf(kind),
  });
  return {
    [all]: { post: operation("post") },
    [`${all}/{name}`]: { put: operation("put"), patch: operation("patch") },
  };
}

/** A schema without what OpenAPI 3.0 does not know: several types for one value. */
const plain = (value: Json | undefined): Json | undefined => {
  if (Array.isArray(value)) return value.map((item) => plain(item) ?? null);
  if (!isObject(value)) return value;
  const type = value["type"];
  const inner = Object.fromEntries(Object.entries(value).map(([field, one]) => [field, plain(one)]));
  return Array.isArray(type) ? { ...inner, type: type[0] ?? "string" } : inner;
};

function documentOf(kinds: readonly Kind[]): JsonObject {
  const all = publishedSchemas();
  const builtin = closure(
    kinds.filter(({ isCustom }) => !isCustom).map(({ schema }) => schema.title ?? ""),
    all,
  );
  const meta = closure(
    ["io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta", "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"],
    all,
  );
  const custom = kinds
    .filter(({ isCustom }) => isCustom)
    .map((kind) => [
      `${kind.group.split(".").toReversed().join(".")}.${kind.version}.${kind.kind}`,
      { ...customSchema(kind), "x-kubernetes-group-version-kind": [gvkOf(kind)] },
    ]);
  return {
    openapi: "3.0.0",
    info: { title: "Kubernetes", version: "v1.36.2" },
    paths: Object.assign({}, ...kinds.map(pathsOf)) as JsonObject,
    components: { schemas: plain({ ...meta, ...builtin, ...(Object.fromEntries(custom) as JsonObject) }) },
  };
}

const customSchema = ({ schema }: Kind): JsonObject => {
  const properties = schema.properties as unknown as JsonObject;
  const metadata = { $ref: `${prefix}io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta` };
  return { ...(schema as unknown as JsonObject), properties: { ...properties, metadata } };
};

const pathOf = (kind: Kind): string => (kind.group ? `apis/${apiVersionOf(kind)}` : `api/${kind.version}`);

/** `/openapi/v3`: an index of documents, one for each group and version. */
export function serveOpenApi(path: string, registry: Registry): ApiResponse | undefined {
  const documents = Map.groupBy(registry.all(), pathOf);
  if (path === "/openapi/v3") {
    const paths = [...documents.keys()].map(
      (key) => [key, { serverRelativeURL: `/openapi/v3/${key}?hash=1` }] as const,
    );
    return { status: 200, body: { paths: Object.fromEntries(paths) } };
  }
  const kinds = documents.get(path.replace(/^\/openapi\/v3\//, ""));
  return kinds && path.startsWith("/openapi/v3/") ? { status: 200, body: documentOf(kinds) } : undefined;
}
