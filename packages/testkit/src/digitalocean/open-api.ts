import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";

type Schema = Record<string, unknown>;
type Parameter = { in: string; name: string; required?: boolean; schema: Schema };
type Operation = {
  operationId: string;
  parameters?: (Parameter | Ref)[];
  responses: Record<string, unknown>;
};
type Ref = { $ref: string };
type Document = {
  paths: Record<string, Record<string, Operation>>;
  components: Record<string, Record<string, unknown>>;
};

export type MatchedRequest = {
  readonly operation: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
};

/**
 * An OpenAPI 3.1 document as a judge of both sides: requests must be described by it to the last parameter, and what is
 * answered must hold against the schema of its status without a field more.
 */
export function openApi(file: URL) {
  const document = JSON.parse(readFileSync(file, "utf8")) as Document;
  const ajv = new Ajv2020({ strict: false, validateFormats: false, coerceTypes: true });
  const answers = new Ajv2020({ strict: false, validateFormats: false });
  const deref = <T>(value: T | Ref): T =>
    value !== null && typeof value === "object" && "$ref" in value
      ? deref(at<T>(document, value.$ref))
      : value;
  const routes = Object.entries(document.paths).flatMap(([template, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method.toUpperCase(),
      pattern: new RegExp(`^${template.replace(/\{(\w+)\}/g, "(?<$1>[^/]+)")}$`),
      operation,
    })),
  );

  return {
    /** The operation a request is of, or why it is none. */
    match(method: string, url: URL, body: string): MatchedRequest | { readonly refused: string } {
      for (const { method: own, pattern, operation } of routes) {
        const found = own === method ? pattern.exec(url.pathname) : null;
        if (!found) continue;
        const params = Object.fromEntries(
          Object.entries(found.groups ?? {}).map(([name, value]) => [name, decodeURIComponent(value)]),
        );
        const query = Object.fromEntries(url.searchParams);
        const parameters = (operation.parameters ?? []).map((one) => deref<Parameter>(one));
        const given: Record<string, Record<string, string>> = { path: params, query };
        for (const [place, values] of Object.entries(given))
          for (const [name, value] of Object.entries(values)) {
            const known = parameters.find((one) => one.in === place && one.name === name);
            if (!known) return { refused: `${operation.operationId} knows no ${place} parameter ${name}` };
            if (!ajv.validate(known.schema, value) && !ajv.validate(known.schema, Number(value)))
              return { refused: `${name}=${value} is not ${JSON.stringify(known.schema)}` };
          }
        const missing = parameters.find((one) => one.required && !(one.name in (given[one.in] ?? {})));
        if (missing) return { refused: `${operation.operationId} needs ${missing.name}` };
        if (body !== "") return { refused: `${operation.operationId} takes no body` };
        return { operation: operation.operationId, params, query };
      }
      return { refused: `nothing is at ${method} ${url.pathname}` };
    },

    /** Throws when that body must not be sent with that status. */
    holdAnswer(operation: string, status: number, body: unknown): void {
      const route = routes.find((one) => one.operation.operationId === operation);
      const responses = route?.operation.responses ?? {};
      const response = deref<{ content?: Record<string, { schema: Schema }> }>(
        (responses[status] ?? responses["default"]) as Ref,
      );
      const schema = response.content?.["application/json"]?.schema;
      if (!schema) {
        if (body !== undefined) throw new Error(`${operation} answers ${status} without a body`);
        return;
      }
      const whole = { ...(inlined(schema, deref) as Schema), unevaluatedProperties: false };
      if (!answers.validate(whole, body))
        throw new Error(`${operation} may not answer ${status} with that: ${answers.errorsText()}`);
    },
  };
}
export type OpenApi = ReturnType<typeof openApi>;

const at = <T>(document: Document, ref: string): T =>
  ref
    .replace(/^#\//, "")
    .split("/")
    .reduce<unknown>((value, part) => (value as Record<string, unknown>)[part], document) as T;

/** The schema with what it refers to in its place, and the objects inside it closed. */
function inlined(value: unknown, deref: <T>(value: T | Ref) => T): unknown {
  if (Array.isArray(value)) return value.map((one) => inlined(one, deref));
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(deref(value as Schema)).map(([name, one]) => {
    const own = inlined(one, deref);
    const isOfProperties = name === "properties" && own !== null && typeof own === "object";
    return [name, isOfProperties ? mapped(own as Schema, closed) : name === "items" ? closed(own) : own];
  });
  return Object.fromEntries(entries);
}

const mapped = (values: Schema, change: (value: unknown) => unknown): Schema =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value)]));

const closed = (schema: unknown): unknown =>
  schema !== null && typeof schema === "object" && "properties" in schema
    ? { ...schema, unevaluatedProperties: false }
    : schema;
