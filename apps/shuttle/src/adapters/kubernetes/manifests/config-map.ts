import type { DesiredService } from "@starform/contract/clusters";
import type { ManifestContext } from "./context.ts";
import { serviceLabels } from "./labels.ts";
import type { Manifest } from "./manifest.ts";
import { configMapName } from "./names.ts";

/** The service's own variables and those the platform tells it. Its name follows its content, so it never changes. */
export const configMap = (service: DesiredService, context: ManifestContext): Manifest => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: {
    name: configMapName(service),
    namespace: service.namespace,
    labels: serviceLabels(service, context.clusterId),
  },
  immutable: true,
  data: service.env,
});
