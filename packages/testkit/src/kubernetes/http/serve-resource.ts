import type { Cluster } from "../cluster.ts";
import { asObject, type Json } from "../model/json.ts";
import { noSuchPath, notAllowed } from "../model/api-error.ts";
import { create } from "../verbs/create.ts";
import { deleteOptions, remove } from "../verbs/delete.ts";
import { list } from "../verbs/list.ts";
import { patch, type PatchType } from "../verbs/patch.ts";
import { existing, replace } from "../verbs/update.ts";
import { unsupportedMedia, type Call } from "../verbs/call.ts";
import { bodyOf, mediaType, requiredBody, type ApiRequest, type ApiResponse } from "./api-request.ts";
import { callOf } from "./call-of.ts";
import { checkListOptions } from "./check-options.ts";
import { shapeOf, showList, showObject } from "./present.ts";
import type { Route } from "./route.ts";
import { subresources } from "./subresources.ts";

type ResourceRoute = Route & { readonly type: "resource" };

/** Everything on a resource but watches. */
export function serveResource(request: ApiRequest, route: ResourceRoute, cluster: Cluster): ApiResponse {
  const warnings: string[] = [];
  const call = callOf(request, route, (text) => warnings.push(text));
  const response =
    route.subresource === undefined
      ? onObject(request, call, cluster)
      : onSubresource(request, call, cluster);
  return { ...response, warnings };
}

function onSubresource(request: ApiRequest, call: Call, cluster: Cluster): ApiResponse {
  const { kind, subresource } = call;
  if (subresource === "status" && kind.hasStatus && request.method !== "DELETE" && request.method !== "POST")
    return onObject(request, call, cluster);
  const serve = subresources[subresource ?? ""];
  if (serve?.has(kind)) return serve.serve(request, call, cluster);
  throw noSuchPath();
}

function onObject(request: ApiRequest, call: Call, cluster: Cluster): ApiResponse {
  const showing = {
    kind: call.kind,
    shape: shapeOf(request.accept),
    query: request.query,
    now: cluster.clock.now(),
  };
  const show = (status: number, object: Parameters<typeof showObject>[0]): ApiResponse => ({
    status,
    body: showObject(object, showing),
  });
  switch (`${request.method} ${call.name ? "one" : "all"}`) {
    case "GET one":
      return show(200, existing(call, cluster));
    case "GET all":
      checkListOptions(request.query, false);
      return { status: 200, ...showList(list({ ...call, query: request.query }, cluster), showing) };
    case "POST all":
      return show(201, create(objectOf(request), call, cluster));
    case "PUT one":
      return show(200, replace(objectOf(request), call, cluster));
    case "PATCH one": {
      const { object, isNew } = patch(patchOf(request), call, cluster);
      return show(isNew ? 201 : 200, object);
    }
    case "DELETE one":
      return { status: 200, body: remove(optionsOf(request), withDryRun(request, call), cluster) };
    case "DELETE all":
      return removeAll(request, call, cluster);
    default:
      throw notAllowed();
  }
}

const optionsOf = (request: ApiRequest) => deleteOptions(bodyOf(request), request.query);

/** A deletion may say in its body that it is only a try. */
const withDryRun = (request: ApiRequest, call: Call): Call => {
  const { dryRun } = asObject(bodyOf(request));
  return Array.isArray(dryRun) && dryRun.includes("All") ? { ...call, dryRun: true } : call;
};

function removeAll(request: ApiRequest, call: Call, cluster: Cluster): ApiResponse {
  const found = list({ ...call, query: request.query }, cluster);
  for (const { metadata } of found.items)
    remove(
      optionsOf(request),
      { ...withDryRun(request, call), name: metadata.name, namespace: metadata.namespace },
      cluster,
    );
  return {
    status: 200,
    ...showList(found, { kind: call.kind, shape: "full", query: request.query, now: cluster.clock.now() }),
  };
}

/** The body of a request that sends a whole object. */
function objectOf(request: ApiRequest): Json {
  const type = mediaType(request.contentType);
  if (!["", "application/json", "application/yaml"].includes(type) && !type.startsWith("application/"))
    throw unsupportedMedia(
      "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf",
    );
  return requiredBody(request);
}

const patchTypes: Readonly<Record<string, PatchType>> = {
  "application/json-patch+json": "json",
  "application/merge-patch+json": "merge",
  "application/strategic-merge-patch+json": "strategic",
  "application/apply-patch+yaml": "apply",
};

function patchOf(request: ApiRequest) {
  const type = patchTypes[mediaType(request.contentType)];
  if (!type) throw unsupportedMedia("415: Unsupported Media Type", {});
  const contentType = type === "apply" ? "application/yaml" : request.contentType;
  const isForced = request.query.get("force") === "true" || request.query.get("force") === "1";
  return { type, body: requiredBody({ ...request, contentType }), force: isForced };
}
