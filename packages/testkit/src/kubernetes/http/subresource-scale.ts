import type { Cluster } from "../cluster.ts";
import type { Kind } from "../kinds/kind.ts";
import { badRequest, conflict, invalidObject, notAllowed } from "../model/api-error.ts";
import { invalid } from "../model/field-error.ts";
import { at, isObject, put, type Json, type JsonObject } from "../model/json.ts";
import { selectorText } from "../model/label-selector.ts";
import type { Stored } from "../model/object.ts";
import { jsonPatch } from "../patch/json-patch.ts";
import { mergePatch } from "../patch/merge-patch.ts";
import type { Call } from "../verbs/call.ts";
import { change, existing } from "../verbs/update.ts";
import { mediaType, requiredBody, type ApiRequest, type ApiResponse } from "./api-request.ts";
import type { Subresource } from "./subresources.ts";

/** How many replicas a workload has and shall have, in one form for all kinds. */
export function scaleView(object: Stored, { scale: paths }: Kind): JsonObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const replicas = at(object, ...(paths?.specReplicas ?? []));
  const selector = at(object, ...(paths?.selector ?? []));
  const text = typeof selector === "string" ? selector : selectorText(selector);
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: {
      name,
      ...(namespace !== undefined && { namespace }),
      uid,
      resourceVersion,
      creationTimestamp,
    },
    spec: replicas ? { replicas } : {},
    status: {
      replicas: at(object, ...(paths?.statusReplicas ?? [])) ?? 0,
      ...(selector !== undefined && { selector: text }),
    },
  };
}

function wantedScale(request: ApiRequest, current: JsonObject): Json {
  const body = requiredBody(request);
  if (request.method === "PUT") return body;
  const type = mediaType(request.contentType);
  if (type === "application/json-patch+json") return jsonPatch(current, body);
  return mergePatch(current, body) ?? {};
}

function write(request: ApiRequest, call: Call, cluster: Cluster): ApiResponse {
  const { kind, name } = call;
  const live = existing(call, cluster);
  const wanted = wantedScale(request, scaleView(live, kind));
  if (!isObject(wanted)) throw badRequest("the scale is no object");
  const replicas = at(wanted, "spec", "replicas") ?? 0;
  if (typeof replicas !== "number") throw badRequest("spec.replicas of the scale is no number");
  if (replicas < 0)
    throw invalidObject({ group: "autoscaling", kind: "Scale" }, name, [
      invalid("spec.replicas", replicas, "must be greater than or equal to 0"),
    ]);
  const version = at(wanted, "metadata", "resourceVersion");
  if (version !== undefined && version !== live.metadata.resourceVersion)
    throw conflict(
      kind,
      name,
      "the object has been modified; please apply your changes to the latest version and try again",
    );
  const scaled = put(live, kind.scale?.specReplicas ?? [], replicas) as Stored;
  return { status: 200, body: scaleView(change({ live, wanted: scaled }, call, cluster), kind) };
}

export const scale: Subresource = {
  has: (kind) => kind.scale !== undefined,
  verbs: ["get", "patch", "update"],
  speaks: { group: "autoscaling", version: "v1", kind: "Scale" },
  serve: (request, call, cluster) => {
    if (request.method === "GET") return { status: 200, body: scaleView(existing(call, cluster), call.kind) };
    if (request.method === "PUT" || request.method === "PATCH") return write(request, call, cluster);
    throw notAllowed();
  },
};
