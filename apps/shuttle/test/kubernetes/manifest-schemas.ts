import { readFileSync } from "node:fs";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import type { Manifest } from "../../src/adapters/kubernetes/manifests/manifest.ts";

type SchemaFile = { readonly kinds: Readonly<Record<string, object>>; readonly $defs?: object };

const files = ["kubernetes", "gateway-api", "envoy-gateway"].map(
  (name) => JSON.parse(readFileSync(new URL(`schemas/${name}.json`, import.meta.url), "utf8")) as SchemaFile,
);
// The formats of Kubernetes (int32, int-or-string) are not JSON Schema's.
const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
const validators = new Map<string, ValidateFunction>();

export const knownKinds: readonly string[] = files.flatMap(({ kinds }) => Object.keys(kinds));

/** What the API server would find wrong with a manifest; empty for a right one. */
export function problemsOf(manifest: Manifest): readonly string[] {
  const kind = `${manifest.apiVersion}/${manifest.kind}`;
  const validate = validators.get(kind) ?? compile(kind);
  if (validate(manifest)) return [];
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${kind}${instancePath} ${message} ${JSON.stringify(params)}`,
  );
}

function compile(kind: string): ValidateFunction {
  const file = files.find(({ kinds }) => kind in kinds);
  if (!file) throw new Error(`no schema of ${kind}: bring it into test/kubernetes/schemas`);
  const validate = ajv.compile({ ...file.kinds[kind], ...(file.$defs ? { $defs: file.$defs } : {}) });
  validators.set(kind, validate);
  return validate;
}
