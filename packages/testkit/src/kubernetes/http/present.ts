import { apiVersionOf, type Kind } from "../kinds/kind.ts";
import type { JsonObject } from "../model/json.ts";
import type { Stored } from "../model/object.ts";
import type { List } from "../verbs/list.ts";
import { tableOf } from "./table.ts";

export type Shape = "full" | "metadata" | "table";

/** In which shape the caller wants objects: the first of the accepted ones that the server knows. */
export function shapeOf(accept: string): Shape {
  for (const wanted of accept.split(",")) {
    const parameters = wanted.split(";").map((part) => part.trim());
    if (parameters.includes("as=Table")) return "table";
    if (
      parameters.some(
        (part) => part === "as=PartialObjectMetadata" || part === "as=PartialObjectMetadataList",
      )
    )
      return "metadata";
    if (parameters.length > 0 && !parameters.some((part) => part.startsWith("as="))) return "full";
  }
  return "full";
}

const metadataOnly = ({ metadata }: Stored): JsonObject => ({
  kind: "PartialObjectMetadata",
  apiVersion: "meta.k8s.io/v1",
  metadata,
});

type Showing = {
  readonly kind: Kind;
  readonly shape: Shape;
  readonly query: URLSearchParams;
  readonly now: Date;
};

export function showObject(object: Stored, showing: Showing): JsonObject {
  if (showing.shape === "metadata") return metadataOnly(object);
  if (showing.shape === "table")
    return tableOf([object], { ...showing, metadata: { resourceVersion: object.metadata.resourceVersion } });
  return object;
}

type Shown = { readonly body: JsonObject; readonly json?: string };

/** Items of a list carry no kind of their own, except custom ones. */
export function showList({ metadata, items }: List, showing: Showing): Shown {
  const { kind, shape } = showing;
  if (shape === "table") return { body: tableOf(items, { ...showing, metadata }) };
  if (shape === "metadata")
    return {
      body: {
        kind: "PartialObjectMetadataList",
        apiVersion: "meta.k8s.io/v1",
        metadata,
        items: items.map(metadataOnly),
      },
    };
  // Lists of custom objects are written without a type that would leave out what is empty.
  const page = kind.isCustom ? { continue: "", ...metadata } : metadata;
  const head = { kind: kind.listKind, apiVersion: apiVersionOf(kind), metadata: page };
  const texts = items.map((item) => itemText(item, kind));
  return { body: head, json: `${JSON.stringify(head).slice(0, -1)},"items":[${texts.join(",")}]}` };
}

/** The last version of each object that was in a list, as text: most lists show most objects again. */
const texts = new WeakMap<Kind, Map<string, { readonly item: Stored; readonly text: string }>>();

const textsMax = 20_000;

function itemText(item: Stored, kind: Kind): string {
  const known = texts.get(kind) ?? new Map<string, { readonly item: Stored; readonly text: string }>();
  texts.set(kind, known);
  const key = item.metadata.uid ?? "";
  const entry = known.get(key);
  if (entry?.item === item) return entry.text;
  if (known.size >= textsMax) known.clear();
  const text = JSON.stringify(kind.isCustom ? item : withoutKind(item));
  known.set(key, { item, text });
  return text;
}

const withoutKind = ({ kind: _kind, apiVersion: _version, ...rest }: Stored): JsonObject => rest;
