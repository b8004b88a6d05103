import { checkTyped } from "../apply/typed.ts";
import { resetFields } from "../apply/owned-fields.ts";
import { managerId, readManagers, type Manager, type Managers } from "../apply/managers.ts";
import { serverSideApply } from "../apply/server-side-apply.ts";
import type { Cluster } from "../cluster.ts";
import { apiVersionOf } from "../kinds/kind.ts";
import { badRequest, conflict, invalidObject } from "../model/api-error.ts";
import { required } from "../model/field-error.ts";
import { equal, isObject, type Json, type JsonObject } from "../model/json.ts";
import { timestamp, type Meta, type Stored } from "../model/object.ts";
import { placed, sameKind, type Call } from "./call.ts";
import { commitChange, commitNew } from "./commit-object.ts";
import { readBody } from "./read-body.ts";
import { change, liveOf } from "./update.ts";

type ApplyCall = Call & { readonly force: boolean };

/** Server-side apply, of an object that may not be there yet. */
export function applyObject(
  body: Json,
  call: ApplyCall,
  cluster: Cluster,
): { object: Stored; isNew: boolean } {
  const { kind, fieldManager } = call;
  if (!fieldManager)
    throw invalidObject({ group: "meta.k8s.io", kind: "PatchOptions" }, "", [
      required("fieldManager", "is required for apply patch"),
    ]);
  const applied = appliedObject(body, call);
  const live = liveOf(call, cluster);
  const manager: Manager = {
    manager: fieldManager,
    operation: "Apply",
    apiVersion: apiVersionOf(kind),
    ...(call.subresource !== undefined && { subresource: call.subresource }),
  };
  const before = withFirstApply(live, readManagers(live), call);
  const result = serverSideApply({
    live,
    applied,
    managers: before,
    manager,
    force: call.force,
    schema: kind.schema,
    reset: resetFields(kind.hasStatus, call.subresource),
  });
  const wanted = readBody(result.object, { ...call, fieldValidation: "Ignore" });
  const object = { ...wanted, metadata: placed(wanted.metadata, call) };
  const stamped = stamp(
    result.managers,
    { manager, isKept: !result.isSetChanged && isSame(object, live) },
    { before, cluster },
  );
  if (live)
    return {
      object: versioned({ live, wanted: object, managers: stamped }, applied, call, cluster),
      isNew: false,
    };
  if (applied.metadata.uid !== undefined)
    throw conflict(
      kind,
      call.name,
      `uid mismatch: the provided object specified uid ${applied.metadata.uid}, and no existing object was found`,
    );
  return { object: commitNew(object, call, cluster, { managers: stamped }), isNew: true };
}

const isSame = (object: Stored, live: Stored | undefined): boolean =>
  live !== undefined && equal({ ...object, metadata: {} }, { ...live, metadata: {} });

/** An apply may name the version it was made for; then it is one more condition. */
function versioned(
  both: { live: Stored; wanted: Stored; managers: Managers },
  { metadata }: Stored,
  call: Call,
  cluster: Cluster,
): Stored {
  if (metadata.resourceVersion === undefined && metadata.uid === undefined)
    return commitChange(both, call, cluster);
  const { resourceVersion, uid } = metadata;
  const pinned = {
    ...both.wanted.metadata,
    ...(resourceVersion && { resourceVersion }),
    ...(uid && { uid }),
  };
  return change({ ...both, wanted: { ...both.wanted, metadata: pinned } }, call, cluster);
}

/** The applied object, checked against its kind before anything else happens. */
function appliedObject(body: Json, call: Call): Stored {
  if (!isObject(body)) throw badRequest("the patch is no object");
  const { kind } = call;
  if (!body["kind"] || !body["apiVersion"])
    throw badRequest(
      `Object 'Kind' is missing in '${JSON.stringify(body)}'`.replace(
        "Kind",
        body["kind"] ? "apiVersion" : "Kind",
      ),
    );
  sameKind(body, kind);
  const given = (isObject(body["metadata"]) ? body["metadata"] : {}) as Partial<Meta> & JsonObject;
  if (given.managedFields !== undefined && given.managedFields !== null)
    throw badRequest("metadata.managedFields must be nil");
  const metadata = placed(given, call);
  const where = [given.namespace ?? "", given.name ?? ""].join("/");
  const version = kind.group ? apiVersionOf(kind) : `/${apiVersionOf(kind)}`;
  checkTyped(body, kind.schema, `${where}; ${version}, Kind=${kind.kind}`);
  return { ...body, apiVersion: apiVersionOf(kind), kind: kind.kind, metadata } as Stored;
}

/** Fields of an object that nobody is written down for belong to `before-first-apply`. */
function withFirstApply(live: Stored | undefined, managers: Managers, { kind }: Call): Managers {
  if (!live || managers.size > 0) return managers;
  const first: Manager = {
    manager: "before-first-apply",
    operation: "Update",
    apiVersion: apiVersionOf(kind),
  };
  const owned = serverSideApply({
    live: undefined,
    applied: live,
    managers: new Map(),
    manager: first,
    force: true,
    schema: kind.schema,
    reset: resetFields(kind.hasStatus, undefined),
  });
  return owned.managers;
}

/** The applier's time is that of its last apply that changed something. */
function stamp(
  managers: Managers,
  { manager, isKept }: { readonly manager: Manager; readonly isKept: boolean },
  { before, cluster }: { readonly before: Managers; readonly cluster: Cluster },
): Managers {
  const id = managerId(manager);
  const entry = managers.get(id);
  const time = (isKept ? before.get(id)?.time : undefined) ?? timestamp(cluster.clock.now());
  return entry ? new Map([...managers, [id, { ...entry, time }]]) : managers;
}
