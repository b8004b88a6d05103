import { projectAnnotations } from "./annotations.ts";
import type { ManifestContext } from "./context.ts";
import { namespaceRole, projectLabels } from "./labels.ts";
import type { Manifest } from "./manifest.ts";
import type { Project } from "./project.ts";

const level = "restricted";

/** A project's namespace. Its role opens the Gateway to its routes; no pod in it may be less than restricted. */
export const namespace = (project: Project, context: ManifestContext): Manifest => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: {
    name: project.namespace,
    labels: {
      ...projectLabels(project, context.clusterId),
      [namespaceRole]: "project",
      "pod-security.kubernetes.io/enforce": level,
      "pod-security.kubernetes.io/enforce-version": "latest",
      "pod-security.kubernetes.io/audit": level,
      "pod-security.kubernetes.io/warn": level,
    },
    annotations: projectAnnotations(project),
  },
});
