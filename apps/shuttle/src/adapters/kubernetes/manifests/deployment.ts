import type { DesiredService } from "@starform/contract/clusters";
import { provenanceAnnotations } from "./annotations.ts";
import type { ManifestContext } from "./context.ts";
import { minReadySeconds } from "./drain.ts";
import { isAutoscaled } from "./horizontal-pod-autoscaler.ts";
import { podSelector, serviceLabels } from "./labels.ts";
import type { Manifest } from "./manifest.ts";
import { workloadName } from "./names.ts";
import { podTemplate } from "./pod-template.ts";
import { progressDeadlineSeconds } from "./probes.ts";
import type { RunningTemplate } from "./running-template.ts";

/** A new pod is ready before an old one goes. A volume can be in one place only: there, the old pod goes first. */
export const deployment = (
  service: DesiredService,
  context: ManifestContext,
  running?: RunningTemplate,
): Manifest => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: {
    name: workloadName(service),
    namespace: service.namespace,
    labels: serviceLabels(service, context.clusterId),
    annotations: provenanceAnnotations(service),
  },
  spec: {
    // The autoscaler's field: in our apply it would take the number back with every pass.
    ...(isAutoscaled(service) ? {} : { replicas: service.replicas }),
    selector: { matchLabels: podSelector(service) },
    strategy:
      service.volumes.length > 0
        ? { type: "Recreate" }
        : { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: "25%" } },
    minReadySeconds,
    progressDeadlineSeconds: progressDeadlineSeconds(service),
    revisionHistoryLimit: 3,
    template: podTemplate(service, context, running),
  },
});
