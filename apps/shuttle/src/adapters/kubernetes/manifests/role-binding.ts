import type { ManifestContext } from "./context.ts";
import { projectLabels } from "./labels.ts";
import type { Manifest } from "./manifest.ts";
import { appAccountName } from "./names.ts";
import type { Project } from "./project.ts";

export const roleBinding = (project: Project, context: ManifestContext): Manifest => ({
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "RoleBinding",
  metadata: {
    name: appAccountName,
    namespace: project.namespace,
    labels: projectLabels(project, context.clusterId),
  },
  roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: appAccountName },
  subjects: [{ kind: "ServiceAccount", name: appAccountName, namespace: project.namespace }],
});
