import type { Column, Kind } from "../kinds/kind.ts";
import type { Json, JsonObject } from "../model/json.ts";
import type { Stored } from "../model/object.ts";
import { cellOf } from "./cells.ts";

type Options = {
  readonly kind: Kind;
  readonly query: URLSearchParams;
  readonly now: Date;
  readonly metadata: JsonObject;
};

const definition = ({ name, type, priority = 0 }: Column): JsonObject => ({
  name,
  type: type === "date" ? "string" : type,
  format: name === "Name" ? "name" : "",
  description: "",
  priority,
});

/** What `kubectl get` prints: a row of cells per object. */
export function tableOf(objects: readonly Stored[], { kind, query, now, metadata }: Options): JsonObject {
  const isWhole = query.get("includeObject") === "Object";
  const isBare = query.get("includeObject") === "None";
  return {
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    metadata,
    columnDefinitions: kind.columns.map(definition),
    rows: objects.map((object) => ({
      cells: kind.columns.map((column): Json => cellOf(object, column, now)),
      ...(!isBare && { object: isWhole ? object : partial(object) }),
    })),
  };
}

const partial = ({ metadata }: Stored): JsonObject => ({
  kind: "PartialObjectMetadata",
  apiVersion: "meta.k8s.io/v1",
  metadata,
});
