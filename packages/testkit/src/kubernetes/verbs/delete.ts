import { checked, mutated } from "../admission/admission.ts";
import type { Cluster } from "../cluster.ts";
import type { Kind } from "../kinds/kind.ts";
import { specOf, statusOf } from "../kinds/in-spec.ts";
import { conflict, invalidObject } from "../model/api-error.ts";
import { invalid, notSupported } from "../model/field-error.ts";
import { asObject, put, type Json, type JsonObject } from "../model/json.ts";
import { timestamp, withMeta, type Stored } from "../model/object.ts";
import type { Call } from "./call.ts";
import { isReleased } from "./finish-deletion.ts";
import { existing } from "./update.ts";

export type DeleteOptions = {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: string;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
};

/** Kinds whose deletion answers the object and not a `Status`. */
const answersObject = [
  "pods",
  "persistentvolumeclaims",
  "resourcequotas",
  "serviceaccounts",
  "services",
  "storageclasses.storage.k8s.io",
];

/** DELETE of one object: it goes at once, or is marked and waits for its finalizers, its dependents, its time of grace. */
export function remove(options: DeleteOptions, call: Call, cluster: Cluster): JsonObject {
  const { kind } = call;
  const live = existing(call, cluster);
  meetsConditions(live, options, kind);
  const request = { ...call, operation: "DELETE", old: live } as const;
  mutated(live, request, cluster);
  checked(live, request, cluster);
  const marked = mark(live, options, { kind, cluster, warn: call.warn });
  const isHeld = !isReleased(marked, kind);
  if (call.dryRun) return isHeld ? marked : success(live, kind);
  if (!isHeld) {
    const last = cluster.store.remove(kind.resource, marked);
    return answersObject.includes(kind.resource) ? last : success(live, kind);
  }
  return marked === live ? live : cluster.store.write(kind.resource, marked);
}

const success = ({ metadata }: Stored, { group, plural }: Kind): JsonObject => ({
  kind: "Status",
  apiVersion: "v1",
  metadata: {},
  status: "Success",
  details: {
    name: metadata.name,
    ...(group && { group }),
    kind: plural,
    ...(metadata.uid && { uid: metadata.uid }),
  },
});

function meetsConditions({ metadata }: Stored, { preconditions }: DeleteOptions, kind: Kind): void {
  const named = { ...kind, plural: kind.kind };
  if (preconditions?.uid !== undefined && preconditions.uid !== metadata.uid)
    throw conflict(
      named,
      metadata.name,
      `the UID in the precondition (${preconditions.uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`,
    );
  if (
    preconditions?.resourceVersion !== undefined &&
    preconditions.resourceVersion !== metadata.resourceVersion
  )
    throw conflict(
      named,
      metadata.name,
      `the ResourceVersion in the precondition (${preconditions.resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`,
    );
}

type Marking = { readonly kind: Kind; readonly cluster: Cluster; readonly warn: (text: string) => void };

/** The object as it is once its deletion has begun. */
function mark(live: Stored, options: DeleteOptions, { kind, cluster, warn }: Marking): Stored {
  const grace = graceSeconds(live, options, kind);
  const finalizers = withPropagation(live.metadata.finalizers ?? [], options, kind, warn);
  const isMarked = live.metadata.deletionTimestamp !== undefined;
  const isShorter = grace < (live.metadata.deletionGracePeriodSeconds ?? 0);
  const isSame =
    finalizers.length === (live.metadata.finalizers ?? []).length &&
    finalizers.every((one) => live.metadata.finalizers?.includes(one));
  if (isMarked && !isShorter && isSame) return live;
  const due = new Date(cluster.clock.now().getTime() + grace * 1000);
  const isNamespace = kind.resource === "namespaces";
  const marked = withMeta(live, {
    finalizers: finalizers.length > 0 ? finalizers : undefined,
    deletionTimestamp: isMarked && !isShorter ? live.metadata.deletionTimestamp : timestamp(due),
    deletionGracePeriodSeconds: isNamespace
      ? undefined
      : isMarked && !isShorter
        ? live.metadata.deletionGracePeriodSeconds
        : grace,
    generation:
      live.metadata.generation === undefined ? undefined : live.metadata.generation + (isMarked ? 0 : 1),
  });
  return isNamespace ? (put(marked, ["status", "phase"], "Terminating") as Stored) : marked;
}

/** Only a pod that a node has taken on and that has not ended gets time to end. */
function graceSeconds(live: Stored, { gracePeriodSeconds }: DeleteOptions, kind: Kind): number {
  if (!kind.isGraceful) return 0;
  const spec = specOf(live);
  const isOver = ["Succeeded", "Failed"].includes(String(statusOf(live)["phase"]));
  if (spec["nodeName"] === undefined || isOver) return 0;
  return gracePeriodSeconds ?? Number(spec["terminationGracePeriodSeconds"] ?? 30);
}

function withPropagation(
  finalizers: readonly string[],
  { propagationPolicy }: DeleteOptions,
  kind: Kind,
  warn: (text: string) => void,
): readonly string[] {
  const isJob = kind.resource === "jobs.batch";
  if (isJob && propagationPolicy === undefined)
    warn(
      "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning",
    );
  const policy = propagationPolicy ?? (isJob ? "Orphan" : "Background");
  const others = finalizers.filter((one) => one !== "foregroundDeletion" && one !== "orphan");
  if (policy === "Foreground") return [...others, "foregroundDeletion"];
  if (policy === "Orphan") return [...others, "orphan"];
  return propagationPolicy === undefined ? finalizers : others;
}

/** The options of a deletion, from its body and its query. */
const propagations = ["Foreground", "Background", "Orphan"];

function checkPropagation(policy: string | undefined, { orphanDependents }: JsonObject): void {
  const errors =
    policy && orphanDependents !== undefined
      ? [invalid("propagationPolicy", policy, "orphanDependents and deletionPropagation cannot be both set")]
      : policy && !propagations.includes(policy)
        ? [notSupported("propagationPolicy", policy, [...propagations, "nil"])]
        : [];
  if (errors.length > 0) throw invalidObject({ group: "meta.k8s.io", kind: "DeleteOptions" }, "", errors);
}

/** How an object is to be deleted, by the body of the request and its parameters. */
export function deleteOptions(body: Json | undefined, query: URLSearchParams): DeleteOptions {
  const options = asObject(body) as DeleteOptions & JsonObject;
  const grace = query.get("gracePeriodSeconds");
  const policy = query.get("propagationPolicy");
  checkPropagation(policy ?? options.propagationPolicy, options);
  return {
    ...(options.gracePeriodSeconds !== undefined && { gracePeriodSeconds: options.gracePeriodSeconds }),
    ...(grace !== null && { gracePeriodSeconds: Number(grace) }),
    ...(options.propagationPolicy && { propagationPolicy: options.propagationPolicy }),
    ...(policy && { propagationPolicy: policy }),
    ...(options.preconditions && { preconditions: options.preconditions }),
  };
}
