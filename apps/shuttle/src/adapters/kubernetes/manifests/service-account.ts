import type { ManifestContext } from "./context.ts";
import { projectLabels } from "./labels.ts";
import type { Manifest } from "./manifest.ts";
import { appAccountName } from "./names.ts";
import type { Project } from "./project.ts";

/** Who a project's apps are to the API server: somebody without a token. */
export const serviceAccount = (
  project: Project,
  context: ManifestContext,
  pullSecrets: readonly string[] = context.imagePullSecrets,
): Manifest => ({
  apiVersion: "v1",
  kind: "ServiceAccount",
  metadata: {
    name: appAccountName,
    namespace: project.namespace,
    labels: projectLabels(project, context.clusterId),
  },
  automountServiceAccountToken: false,
  ...(pullSecrets.length > 0 ? { imagePullSecrets: pullSecrets.map((name) => ({ name })) } : {}),
});
