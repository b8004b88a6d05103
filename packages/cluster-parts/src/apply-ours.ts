import type { KubeApi, KubeObject, ObjectRef } from "@starform/kubernetes/kube-api";
import { isKubeError } from "@starform/kubernetes/kube-error";
import { canonicalJson } from "@starform/std/canonical-json";
import { Fault } from "@starform/std/fault";
import { clusterIdLabel, fieldManager, isOurs, makerOf, managedByLabel, nameOf } from "./ownership.ts";

export const refOf = ({ apiVersion, kind, metadata: { name, namespace } }: KubeObject): ObjectRef => ({
  apiVersion,
  kind,
  name,
  namespace,
});

/**
 * Applies an object that is not there or is ours, and answers whether that changed anything. Fields of ours that somebody
 * else has taken are taken back; an object of somebody else is a Fault `conflict` and stays as it is. A Job that did its work
 * has nothing left to do, and no Job can be changed: one that has not is a Fault that says how it is begun anew.
 */
export async function applyOurs(kube: KubeApi, object: KubeObject, signal?: AbortSignal): Promise<boolean> {
  const before = await kube.get(refOf(object), signal);
  if (before && !isOurs(before)) throw inTheWay(before);
  refuseOtherCluster(before, object);
  if (before && hasDone(before)) return false;
  try {
    const after = await kube.apply(object, { fieldManager, force: before !== undefined }, signal);
    return before === undefined || wishOf(before) !== wishOf(after);
  } catch (error) {
    // Somebody made it between our look and our apply.
    if (isKubeError(error, 409) && before === undefined) throw inTheWay(object, error);
    if (isKubeError(error, 422) && before?.kind === "Job") throw unchangeable(before, error);
    throw error;
  }
}

const hasDone = (object: KubeObject): boolean =>
  object.kind === "Job" &&
  ((object["status"] as JobStatus | undefined)?.conditions ?? []).some(
    ({ type, status }) => type === "Complete" && status === "True",
  );
type JobStatus = { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };

const unchangeable = (job: KubeObject, cause: unknown): Fault =>
  new Fault(
    "conflict",
    `${nameOf(job)} has not done its work yet, and a Job cannot be changed: kubectl -n ${job.metadata.namespace ?? ""} delete job ${job.metadata.name}, then start again`,
    { cause },
  );

/** What an object asks for, without what the server and its controllers write meanwhile. */
function wishOf({ metadata, status: _status, ...rest }: KubeObject & { readonly status?: unknown }): string {
  const { labels, annotations } = metadata;
  const { "deployment.kubernetes.io/revision": _revision, ...wished } = annotations ?? {};
  return canonicalJson({ ...rest, labels, annotations: wished });
}

const inTheWay = (object: KubeObject, cause?: unknown): Fault =>
  new Fault(
    "conflict",
    `${nameOf(object)} is there already and is not Starform's${cause ? "" : ` (made by ${makerOf(object)})`}. Nothing was changed in it. Remove it, or hand it over with: kubectl label ${object.kind.toLowerCase()} ${object.metadata.name}${object.metadata.namespace ? ` -n ${object.metadata.namespace}` : ""} ${managedByLabel}=bootstrap`,
    { cause },
  );

function refuseOtherCluster(before: KubeObject | undefined, object: KubeObject): void {
  const [was, is] = [before?.metadata.labels?.[clusterIdLabel], object.metadata.labels?.[clusterIdLabel]];
  if (was !== undefined && was !== is)
    throw new Fault(
      "conflict",
      `this Kubernetes cluster is Starform's cluster ${was} already. To make it ${is}, take the first away: starform cluster remove`,
    );
}
