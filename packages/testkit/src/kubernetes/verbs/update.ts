import type { Cluster } from "../cluster.ts";
import { versionErrors } from "../kinds/validate.ts";
import { conflict, invalidObject, notFound } from "../model/api-error.ts";
import type { Json, JsonObject } from "../model/json.ts";
import type { Stored } from "../model/object.ts";
import { placed, sameKind, type Call } from "./call.ts";
import { commitChange, commitNew, type Ownership } from "./commit-object.ts";
import { readBody } from "./read-body.ts";

export const liveOf = ({ kind, namespace, name }: Call, { store }: Cluster): Stored | undefined =>
  store.get(kind.resource, kind.namespaced ? namespace : undefined, name);

export function existing(call: Call, cluster: Cluster): Stored {
  const live = liveOf(call, cluster);
  if (!live) throw notFound(call.kind, call.name);
  return live;
}

/** PUT: the object as a whole; an object made from an old version is refused. */
export function replace(body: Json, call: Call, cluster: Cluster): Stored {
  sameKind(body as JsonObject, call.kind);
  const read = readBody(body, call);
  const object = { ...read, metadata: placed(read.metadata, call) };
  const live = liveOf(call, cluster);
  // A lease may be made by replacing it, so that two candidates do not race between two calls.
  if (!live && call.kind.kind === "Lease" && !object.metadata.resourceVersion)
    return commitNew(object, call, cluster);
  if (!live) throw notFound(call.kind, call.name);
  const errors = versionErrors(object.metadata.resourceVersion, call.kind);
  if (errors.length > 0)
    throw invalidObject(
      call.kind.isCustom ? { ...call.kind, kind: call.kind.plural } : call.kind,
      call.name,
      errors,
    );
  return change({ live, wanted: object }, call, cluster);
}

/** Keeps a changed object if it was made from the version that is there. */
export function change(
  both: { readonly live: Stored; readonly wanted: Stored } & Ownership,
  call: Call,
  cluster: Cluster,
): Stored {
  const { live, wanted } = both;
  const { kind, name } = call;
  const { uid, resourceVersion } = wanted.metadata;
  if (uid !== undefined && uid !== live.metadata.uid)
    throw conflict(
      kind,
      name,
      `StorageError: invalid object, Code: 4, Key: /registry/${kind.plural}/${name}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${uid}, UID in object meta: ${live.metadata.uid}`,
    );
  if (resourceVersion && resourceVersion !== live.metadata.resourceVersion)
    throw conflict(
      kind,
      name,
      "the object has been modified; please apply your changes to the latest version and try again",
    );
  return commitChange(both, call, cluster);
}
