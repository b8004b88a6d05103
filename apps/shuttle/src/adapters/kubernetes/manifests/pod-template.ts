import type { DesiredService } from "@starform/contract/clusters";
import { rolloutAnnotations } from "./annotations.ts";
import { appContainer } from "./app-container.ts";
import type { ManifestContext } from "./context.ts";
import { terminationGraceSeconds } from "./drain.ts";
import { podSelector, prefix, serviceLabels } from "./labels.ts";
import { appAccountName, podVolumeName, scratchVolumeName, volumeClaimName } from "./names.ts";
import { podSecurity } from "./pod-security.ts";
import { bytes, gib } from "./quantity.ts";
import { heldBack, type RunningTemplate } from "./running-template.ts";

/**
 * The pods of a service. It changes only with what `instanceChecksum` covers: every other change would start pods anew
 * for nothing.
 */
export function podTemplate(
  service: DesiredService,
  context: ManifestContext,
  running: RunningTemplate | undefined,
): Record<string, unknown> {
  const { serviceName, drainSeconds, ending } = heldBack(service, running);
  const { shareProcessNamespace, lifecycle } = ending;
  return {
    metadata: {
      labels: { ...serviceLabels(service, context.clusterId), [`${prefix}service-name`]: serviceName },
      annotations: rolloutAnnotations(service, drainSeconds),
    },
    spec: {
      serviceAccountName: appAccountName,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      ...(shareProcessNamespace === undefined ? {} : { shareProcessNamespace }),
      securityContext: podSecurity(context),
      terminationGracePeriodSeconds: terminationGraceSeconds(service, drainSeconds),
      ...(service.service_type === "cron" ? { restartPolicy: "Never" } : placement(service)),
      containers: [appContainer(service, lifecycle)],
      volumes: [
        { name: scratchVolumeName, emptyDir: { sizeLimit: bytes(gib) } },
        ...service.volumes.map(({ name }) => ({
          name: podVolumeName(name),
          persistentVolumeClaim: { claimName: volumeClaimName(service, name) },
        })),
      ],
    },
  };
}

/** Instances on different nodes and zones where there are some; with a volume, where the volume is. */
function placement(service: DesiredService): Record<string, unknown> {
  const labelSelector = { matchLabels: podSelector(service) };
  if (service.volumes.length > 0)
    return {
      affinity: {
        podAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { labelSelector, topologyKey: "kubernetes.io/hostname" },
          ],
        },
      },
    };
  return {
    topologySpreadConstraints: ["kubernetes.io/hostname", "topology.kubernetes.io/zone"].map(
      (topologyKey) => ({
        maxSkew: 1,
        topologyKey,
        whenUnsatisfiable: "ScheduleAnyway",
        labelSelector,
        matchLabelKeys: ["pod-template-hash"],
      }),
    ),
  };
}
