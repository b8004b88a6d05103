import type { DesiredService, DesiredVarGroup } from "@starform/contract/clusters";
import { secretNamesAnnotation } from "./annotations.ts";
import type { ManifestContext } from "./context.ts";
import { serviceLabels, varGroupLabel } from "./labels.ts";
import type { Manifest } from "./manifest.ts";
import { varGroupSecretName } from "./names.ts";

/** A var group as one service gets it. Its name follows its content, so it never changes. */
export const varGroupSecret = (
  service: DesiredService,
  group: DesiredVarGroup,
  context: ManifestContext,
): Manifest => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: {
    name: varGroupSecretName(service, group),
    namespace: service.namespace,
    labels: { ...serviceLabels(service, context.clusterId), ...varGroupLabel(group.var_group_id) },
    annotations: secretNamesAnnotation(group.secret_names),
  },
  type: "Opaque",
  immutable: true,
  // Not `stringData`: it never comes back, so a difference from it could not be seen.
  data: Object.fromEntries(
    Object.entries(group.variables).map(([name, value]) => [name, Buffer.from(value).toString("base64")]),
  ),
});
