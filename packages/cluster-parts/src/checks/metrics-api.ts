import { isKubeError } from "@starform/kubernetes/kube-error";
import { wordsOf } from "@starform/std/fault";
import type { Check } from "../examination.ts";
import { bootstrapAgain, findingsOf } from "./finding.ts";

const { ok, error } = findingsOf("metrics");

/** Whether the figures that autoscaling counts with come, whoever serves them. */
export const checkMetricsApi: Check = async ({ kube, facts, signal }) => {
  const kind = { apiVersion: "metrics.k8s.io/v1beta1", kind: "NodeMetrics" };
  if (!(await kube.serves(kind, signal)))
    return [error("nothing serves metrics.k8s.io: services do not scale by themselves", bootstrapAgain)];
  try {
    const { items } = await kube.list(kind, {}, signal);
    const says = `metrics.k8s.io tells of ${items.length} of ${facts.nodes} nodes`;
    return [
      items.length < facts.nodes
        ? error(
            says,
            "metrics-server cannot reach the other kubelets: read kubectl -n starform-system logs deploy/metrics-server",
          )
        : ok(says),
    ];
  } catch (cause) {
    if (!isKubeError(cause)) throw cause;
    return [
      error(`metrics.k8s.io does not answer: ${wordsOf(cause)}`, "see docs/runbooks/platform-part-down.md"),
    ];
  }
};
