import type { Cluster } from "../cluster.ts";
import { badRequest } from "../model/api-error.ts";
import type { Json, JsonObject } from "../model/json.ts";
import type { Stored } from "../model/object.ts";
import { placed, sameKind, type Call } from "./call.ts";
import { commitNew } from "./commit-object.ts";
import { readBody } from "./read-body.ts";

/** POST: a new object, or 409 when its name is taken. */
export function create(body: Json, call: Call, cluster: Cluster): Stored {
  sameKind(body as JsonObject, call.kind);
  const object = readBody(body, call);
  if (object.metadata.resourceVersion)
    throw badRequest("resourceVersion should not be set on objects to be created");
  return commitNew({ ...object, metadata: placed(object.metadata, call) }, call, cluster);
}
