import type { ManifestContext } from "./context.ts";
import { projectLabels } from "./labels.ts";
import type { Manifest } from "./manifest.ts";
import { appAccountName } from "./names.ts";
import type { Project } from "./project.ts";

/** Allows nothing: an app has no business with the API server. Bound all the same, so that this is the one place to look. */
export const role = (project: Project, context: ManifestContext): Manifest => ({
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "Role",
  metadata: {
    name: appAccountName,
    namespace: project.namespace,
    labels: projectLabels(project, context.clusterId),
  },
  rules: [],
});
