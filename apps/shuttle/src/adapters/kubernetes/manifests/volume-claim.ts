import type { DesiredService } from "@starform/contract/clusters";
import type { ManifestContext } from "./context.ts";
import { serviceLabels } from "./labels.ts";
import type { Manifest } from "./manifest.ts";
import { volumeClaimName } from "./names.ts";
import { bytes } from "./quantity.ts";

/** A volume may grow and never shrink. What is in it is the customer's: removing the claim is never a side effect. */
export const volumeClaim = (
  service: DesiredService,
  volume: DesiredService["volumes"][number],
  context: ManifestContext,
): Manifest => ({
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  metadata: {
    name: volumeClaimName(service, volume.name),
    namespace: service.namespace,
    labels: serviceLabels(service, context.clusterId),
  },
  spec: {
    accessModes: ["ReadWriteOnce"],
    ...(context.storageClass === null ? {} : { storageClassName: context.storageClass }),
    resources: { requests: { storage: bytes(volume.size_bytes) } },
  },
});
