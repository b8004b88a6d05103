import { statusOf } from "../kinds/in-spec.ts";
import { asObjects } from "../model/json.ts";
import { timestamp } from "../model/object.ts";
import { own, type Controller } from "./controller.ts";
import { withCondition } from "./pod-state.ts";

/** API services are taken to be reachable; what they serve, the metrics API above all, the fake serves itself. */
export const apiServices: Controller = {
  name: "apiservice-controller",
  manager: "kube-apiserver",
  keysOf: own("apiservices.apiregistration.k8s.io"),
  reconcile: (name, { cluster, actor, now }) => {
    const service = cluster.store.get("apiservices.apiregistration.k8s.io", undefined, name);
    if (!service) return;
    const available = { type: "Available", status: "True", reason: "Passed", message: "all checks passed" };
    const conditions = withCondition(asObjects(statusOf(service)["conditions"]), available, timestamp(now()));
    actor.status(service, { conditions });
  },
};
