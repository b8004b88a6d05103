import { asObject, type JsonObject } from "../model/json.ts";
import type { Stored } from "../model/object.ts";

/** The object with its spec changed. */
export const inSpec = (object: Stored, change: (spec: JsonObject) => JsonObject): Stored => ({
  ...object,
  spec: change(asObject(object["spec"])),
});

export const specOf = (object: Stored): JsonObject => asObject(object["spec"]);
export const statusOf = (object: Stored): JsonObject => asObject(object["status"]);
