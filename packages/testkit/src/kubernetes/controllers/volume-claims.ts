import { specOf, statusOf } from "../kinds/in-spec.ts";
import { at, put } from "../model/json.ts";
import { own, partsOf, type Controller } from "./controller.ts";

/** Volume claims are bound at once to a volume of the size they ask for, and grow when they ask for more. */
export const volumeClaims: Controller = {
  name: "persistentvolume-controller",
  manager: "kube-controller-manager",
  keysOf: own("persistentvolumeclaims"),
  reconcile: (key, { cluster, actor }) => {
    const [namespace, name] = partsOf(key);
    const claim = cluster.store.get("persistentvolumeclaims", namespace, name);
    if (!claim || claim.metadata.deletionTimestamp !== undefined) return;
    const storage = at(specOf(claim), "resources", "requests", "storage");
    const volumeName = specOf(claim)["volumeName"] ?? `pvc-${claim.metadata.uid}`;
    const named = actor.update(claim, put(claim, ["spec", "volumeName"], volumeName), "binding");
    actor.status(named, {
      ...statusOf(named),
      phase: "Bound",
      accessModes: specOf(named)["accessModes"],
      capacity: { storage },
    });
  },
};
