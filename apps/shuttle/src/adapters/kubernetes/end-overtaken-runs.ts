import type { KubeApi } from "@starform/kubernetes/kube-api";
import { isKubeError } from "@starform/kubernetes/kube-error";
import { prefix } from "./manifests/labels.ts";
import { runTrouble } from "./observe/run-trouble.ts";
import type { ServiceState } from "./service-states.ts";
import type { ClusterView } from "./view/cluster-view.ts";
import { jobKind } from "./view/kinds.ts";
import { endedBecause, type JobView } from "./view/workload-views.ts";

/** Of an annotation that a person reads. */
const reasonLengthMax = 500;

/**
 * Ends runs of an older version that cannot begin. A CronJob begins none while one of its runs is there, so one that waits
 * for an image that never comes would hold up those of the version that mended it. Its Job gets a deadline that has
 * passed: it fails, and stays in the history with its reason.
 */
export function overtakenRuns(api: KubeApi, view: ClusterView) {
  const asked = new WeakSet<JobView>();
  return async ({ key, service }: ServiceState, signal: AbortSignal): Promise<void> => {
    for (const job of view.place(key)?.jobs.values() ?? []) {
      const isOlder = job.deploymentId !== undefined && job.deploymentId !== service.provenance.deployment_id;
      const trouble = isOlder && !asked.has(job) ? runTrouble(view, service, job) : undefined;
      if (!trouble) continue;
      const { name, namespace, uid } = job;
      const annotations = { [prefix + endedBecause]: trouble.sentence.slice(0, reasonLengthMax) };
      await api
        .patch(
          { ...jobKind, name, namespace },
          { metadata: { uid, annotations }, spec: { activeDeadlineSeconds: 1 } },
          signal,
        )
        .catch((error: unknown) => {
          // Gone meanwhile, or another of its name.
          if (!isKubeError(error, 404, 409)) throw error;
        });
      asked.add(job);
    }
  };
}
