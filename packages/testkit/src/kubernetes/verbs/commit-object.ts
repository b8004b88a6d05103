import { checked, mutated, type AdmissionRequest } from "../admission/admission.ts";
import { resetFields, emptyLike, withoutManagers } from "../apply/owned-fields.ts";
import { readManagers, writeManagers, type Managers } from "../apply/managers.ts";
import { trackUpdate } from "../apply/track-update.ts";
import type { Cluster } from "../cluster.ts";
import { validateObject, validateChange } from "../kinds/validate.ts";
import { alreadyExists, invalidObject } from "../model/api-error.ts";
import { equal, omit, type JsonObject } from "../model/json.ts";
import { timestamp, withMeta, type Stored } from "../model/object.ts";
import { randomSuffix } from "../model/random-name.ts";
import { finishDeletion } from "./finish-deletion.ts";
import { updaterOf, type Call } from "./call.ts";
import { carriedOver } from "./carried-over.ts";

/** Managers that an apply has already worked out, or none: then the write itself tells them. */
export type Ownership = { readonly managers?: Managers };

const admissionOf = (
  call: Call,
  operation: AdmissionRequest["operation"],
  old?: Stored,
): AdmissionRequest => ({
  ...call,
  operation,
  old,
});

function named(object: Stored, cluster: Cluster): Stored {
  const { name, generateName } = object.metadata;
  if (name || !generateName) return object;
  return withMeta(object, { name: `${generateName.slice(0, 58)}${randomSuffix(cluster.context.random)}` });
}

/** Keeps a new object: admission, what the server fills in, validation, refusals, store. */
export function commitNew(wanted: Stored, call: Call, cluster: Cluster, ownership: Ownership = {}): Stored {
  const { kind } = call;
  const time = timestamp(cluster.clock.now());
  const request = admissionOf({ ...call, name: call.name || wanted.metadata.name || "" }, "CREATE");
  const admitted = mutated(wanted, request, cluster);
  const born = withMeta(named(admitted, cluster), {
    uid: cluster.uid(),
    creationTimestamp: time,
    generation: kind.hasGeneration ? 1 : undefined,
    resourceVersion: undefined,
    deletionTimestamp: undefined,
    deletionGracePeriodSeconds: undefined,
    managedFields: undefined,
  });
  const bare = kind.hasStatus && kind.resource !== "nodes" ? withEmptyStatus(born, kind.isCustom) : born;
  const prepared = kind.strategy.onCreate?.(bare, cluster.context) ?? bare;
  const errors = validateObject(prepared, kind);
  if (errors.length > 0) throw invalidObject(kind, prepared.metadata.name, errors);
  const object = writeManagers(prepared, ownership.managers ?? createdBy(wanted, call, time));
  checked(object, { ...request, name: object.metadata.name }, cluster);
  const there = cluster.store.get(kind.resource, object.metadata.namespace, object.metadata.name);
  if (there) throw alreadyExists(kind, object.metadata.name, there.metadata.deletionTimestamp !== undefined);
  return call.dryRun ? object : cluster.store.write(kind.resource, object);
}

const withEmptyStatus = (object: Stored, isCustom: boolean): Stored =>
  isCustom ? omit(object, "status") : ({ ...object, status: {} } as Stored);

const createdBy = (object: Stored, call: Call, time: string): Managers =>
  trackUpdate({
    before: emptyLike(object, call.kind.isCustom, call.kind.schema),
    after: object,
    managers: new Map(),
    manager: updaterOf(call),
    schema: call.kind.schema,
    reset: resetFields(call.kind.hasStatus, call.subresource),
    time,
  });

/** Keeps a changed object; answers the live one when nothing changed. */
export function commitChange(
  change: { readonly live: Stored; readonly wanted: Stored } & Ownership,
  call: Call,
  cluster: Cluster,
): Stored {
  const { kind } = call;
  const { live } = change;
  const request = admissionOf(call, "UPDATE", live);
  const carried = carriedOver(change.wanted, live, call, cluster);
  const admitted = mutated(carried, request, cluster);
  const errors = [...validateChange(admitted, live, call), ...validateObject(admitted, kind)];
  if (errors.length > 0) throw invalidObject(kind, admitted.metadata.name, errors);
  const managers =
    change.managers ?? changedBy({ live, after: admitted, wanted: change.wanted }, call, cluster);
  const object = writeManagers(admitted, managers);
  if (equal(withoutTimes(object), withoutTimes(live))) return live;
  checked(object, request, cluster);
  if (call.dryRun) return object;
  return finishDeletion(cluster.store.write(kind.resource, object), kind, cluster);
}

/** A caller that sends no managed fields at all leaves them alone; one that changes them has the last word. */
function changedBy(
  { live, after, wanted }: { live: Stored; after: Stored; wanted: Stored },
  call: Call,
  cluster: Cluster,
): Managers {
  const given = wanted.metadata.managedFields;
  // An object whose managers were taken away has none before it is applied again.
  if (given === undefined && live.metadata.managedFields === undefined) return new Map();
  return trackUpdate({
    before: withoutManagers(live),
    after,
    managers: readManagers(given === undefined ? live : wanted),
    manager: updaterOf(call),
    schema: call.kind.schema,
    reset: resetFields(call.kind.hasStatus, call.subresource),
    time: timestamp(cluster.clock.now()),
  });
}

const withoutTimes = (object: Stored): JsonObject => ({
  ...object,
  metadata: {
    ...object.metadata,
    managedFields: (object.metadata.managedFields ?? []).map((entry) => omit(entry, "time")),
  },
});
