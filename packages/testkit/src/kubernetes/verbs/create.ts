import type { Cluster } from "../cluster.ts";
import { ApiError, notAllowed } from "../model/api-error.ts";
import type { Json, JsonObject } from "../model/json.ts";
import type { Stored } from "../model/object.ts";
import { placed, sameKind, type Call } from "./call.ts";
import { commitNew } from "./commit-object.ts";
import { readBody } from "./read-body.ts";

/** POST: a new object, or 409 when its name is taken. */
export function create(body: Json, call: Call, cluster: Cluster): Stored {
  if (call.kind.namespaced && call.namespace === undefined) throw notAllowed();
  sameKind(body as JsonObject, call.kind);
  const object = readBody(body, call);
  if (object.metadata.resourceVersion)
    throw new ApiError(500, { message: "resourceVersion should not be set on objects to be created" });
  return commitNew({ ...object, metadata: placed(object.metadata, call) }, call, cluster);
}
