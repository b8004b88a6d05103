import type { KubeApi } from "@starform/kubernetes/kube-api";
import { isKubeError } from "@starform/kubernetes/kube-error";
import { dueRuns } from "../../core/cron-schedule.ts";
import { prefix } from "./manifests/labels.ts";
import { runTrouble } from "./observe/run-trouble.ts";
import type { ServiceState } from "./service-states.ts";
import type { ClusterView } from "./view/cluster-view.ts";
import { jobKind } from "./view/kinds.ts";
import { endedBecause, type JobView } from "./view/workload-views.ts";

/** Of an annotation that a person reads. */
const reasonLengthMax = 500;

/**
 * Ends runs of an older version that cannot begin and hold up others: a CronJob begins none while one of its runs is there.
 * One whose image never comes is ended at once, one that may still begin (the cluster has no room, the registry is away)
 * when the next is due. Its Job gets a deadline that has passed: it fails, and stays in the history with its reason.
 */
export function overtakenRuns(api: KubeApi, view: ClusterView, nowMs: () => number) {
  /** The watch tells of what was written a moment later. */
  const asked = new WeakSet<JobView>();
  const isNextDue = (job: JobView, schedule: string | null): boolean =>
    schedule !== null && dueRuns(schedule, new Date(job.scheduledFor), new Date(nowMs())).runs.length > 0;
  return async ({ key, service }: ServiceState, signal: AbortSignal): Promise<void> => {
    for (const job of view.place(key)?.jobs.values() ?? []) {
      const isOlder = job.deploymentId !== undefined && job.deploymentId !== service.provenance.deployment_id;
      if (!isOlder || job.endedBecause !== undefined || asked.has(job)) continue;
      const trouble = runTrouble(view, service, job);
      if (!trouble || !(trouble.isFinal || isNextDue(job, service.schedule))) continue;
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
