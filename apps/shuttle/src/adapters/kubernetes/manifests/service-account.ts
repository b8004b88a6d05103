import type { ManifestContext } from "./context.ts";
import { projectLabels } from "./labels.ts";
import type { Manifest } from "./manifest.ts";
import { appAccountName } from "./names.ts";
import type { Project } from "./project.ts";

/** Who a project's apps are to the API server: somebody without a token. */
export const serviceAccount = (project: Project, context: ManifestContext): Manifest => ({
  apiVersion: "v1",
  kind: "ServiceAccount",
  metadata: {
    name: appAccountName,
    namespace: project.namespace,
    labels: projectLabels(project, context.clusterId),
  },
  automountServiceAccountToken: false,
  ...(context.imagePullSecrets.length > 0
    ? { imagePullSecrets: context.imagePullSecrets.map((name) => ({ name })) }
    : {}),
});
