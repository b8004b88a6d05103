import type { DesiredService } from "@starform/contract/clusters";
import { provenanceAnnotations } from "./annotations.ts";
import type { ManifestContext } from "./context.ts";
import { serviceLabels } from "./labels.ts";
import type { Manifest } from "./manifest.ts";
import { workloadName } from "./names.ts";
import { podTemplate } from "./pod-template.ts";

/** A run that could not begin for this long is skipped, and said to be. */
const startingDeadlineSeconds = 200;
/** Never comes: a cron without a schedule is kept, and does not run. */
const never = "0 0 31 2 *";

/** As Kubernetes reads it: Sunday is its 0 alone, where people write 7 as well. */
export const scheduleFor = ({ schedule }: DesiredService): string =>
  schedule === null ? never : schedule.trim().replace(/\S+$/, withoutSeven);

const withoutSeven = (weekdays: string): string =>
  weekdays
    .split(",")
    .map((part) => {
      const [, from, to = from, step = "1"] = /^([0-7])(?:-([0-7]))?(?:\/([1-7]))?$/.exec(part) ?? [];
      if (from === undefined || (from !== "7" && to !== "7")) return part;
      const count = Math.floor((Number(to) - Number(from)) / Number(step)) + 1;
      return Array.from({ length: count }, (_, at) => (Number(from) + at * Number(step)) % 7).join(",");
    })
    .join(",");

/** So many Jobs that succeeded stay, and so many that failed: the newest of each. */
export const jobsHistoryLimit = 3;

/** Runs at the schedule in UTC, never twice at once; a run that fails is not begun again before its next time. */
export const cronJob = (service: DesiredService, context: ManifestContext): Manifest => ({
  apiVersion: "batch/v1",
  kind: "CronJob",
  metadata: {
    name: workloadName(service),
    namespace: service.namespace,
    labels: serviceLabels(service, context.clusterId),
    annotations: provenanceAnnotations(service),
  },
  spec: {
    schedule: scheduleFor(service),
    timeZone: "Etc/UTC",
    suspend: service.schedule === null,
    concurrencyPolicy: "Forbid",
    startingDeadlineSeconds,
    successfulJobsHistoryLimit: jobsHistoryLimit,
    failedJobsHistoryLimit: jobsHistoryLimit,
    jobTemplate: {
      metadata: { labels: serviceLabels(service, context.clusterId) },
      spec: { backoffLimit: 0, template: podTemplate(service, context, undefined) },
    },
  },
});
