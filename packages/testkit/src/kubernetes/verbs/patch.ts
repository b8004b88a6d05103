import type { Cluster } from "../cluster.ts";
import { badRequest } from "../model/api-error.ts";
import { isObject, type Json } from "../model/json.ts";
import type { Stored } from "../model/object.ts";
import { jsonPatch } from "../patch/json-patch.ts";
import { mergePatch } from "../patch/merge-patch.ts";
import { strategicPatch } from "../patch/strategic-patch.ts";
import { applyObject } from "./apply-object.ts";
import { placed, unsupportedMedia, type Call } from "./call.ts";
import { readBody } from "./read-body.ts";
import { change, existing } from "./update.ts";

export type PatchType = "json" | "merge" | "strategic" | "apply";
export type Patch = { readonly type: PatchType; readonly body: Json; readonly force: boolean };

const accepted = (isCustom: boolean): string =>
  [
    "application/json-patch+json",
    "application/merge-patch+json",
    ...(isCustom ? [] : ["application/strategic-merge-patch+json"]),
    "application/apply-patch+yaml",
  ].join(", ");

/** PATCH in all its forms; `isNew` says that an apply made the object. */
export function patch(
  { type, body, force }: Patch,
  call: Call,
  cluster: Cluster,
): { readonly object: Stored; readonly isNew: boolean } {
  if (type === "apply") return applyObject(body, { ...call, force }, cluster);
  if (type === "strategic" && call.kind.isCustom)
    throw unsupportedMedia(
      `the body of the request was in an unknown format - accepted media types include: ${accepted(true)}`,
    );
  const live = existing(call, cluster);
  const patched = patchedBody({ type, body }, live, call);
  const wanted = readBody(patched, call);
  return {
    object: change({ live, wanted: { ...wanted, metadata: placed(wanted.metadata, call) } }, call, cluster),
    isNew: false,
  };
}

function patchedBody({ type, body }: { type: PatchType; body: Json }, live: Stored, { kind }: Call): Json {
  if (type === "json") return jsonPatch(live, body);
  if (!isObject(body)) throw badRequest("the patch is no object");
  return type === "merge" ? (mergePatch(live, body) ?? {}) : strategicPatch(live, body, kind.schema);
}
