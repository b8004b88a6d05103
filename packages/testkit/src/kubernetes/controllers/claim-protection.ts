import { isFinished } from "./pod-state.ts";
import { claimFinalizer } from "../kinds/policies.ts";
import { specOf } from "../kinds/in-spec.ts";
import { asObject, asObjects } from "../model/json.ts";
import { withMeta, type Stored } from "../model/object.ts";
import { partsOf, type Controller } from "./controller.ts";

const claimsOf = (pod: Stored | undefined): readonly string[] =>
  asObjects(pod && specOf(pod)["volumes"]).flatMap(({ persistentVolumeClaim }) => {
    const { claimName } = asObject(persistentVolumeClaim);
    return claimName === undefined ? [] : [`${pod?.metadata.namespace}/${String(claimName)}`];
  });

/** A deleted volume claim stays as long as a pod uses it. */
export const claimProtection: Controller = {
  name: "pvc-protection-controller",
  manager: "kube-controller-manager",
  keysOf: ({ resource, key, object, previous }) => {
    if (resource === "persistentvolumeclaims") return [key];
    return resource === "pods" ? [...claimsOf(object), ...claimsOf(previous)] : [];
  },
  reconcile: (key, { cluster, actor }) => {
    const [namespace, name] = partsOf(key);
    const claim = cluster.store.get("persistentvolumeclaims", namespace, name);
    if (!claim?.metadata.deletionTimestamp) return;
    const finalizers = claim.metadata.finalizers ?? [];
    const isUsed = cluster.store
      .list("pods", namespace)
      .some((pod) => !isFinished(pod) && claimsOf(pod).includes(key));
    if (isUsed || !finalizers.includes(claimFinalizer)) return;
    const others = finalizers.filter((one) => one !== claimFinalizer);
    actor.update(claim, withMeta(claim, { finalizers: others.length > 0 ? others : undefined }));
  },
};
