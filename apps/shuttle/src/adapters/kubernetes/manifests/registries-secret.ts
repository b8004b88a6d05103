import type { DesiredService } from "@starform/contract/clusters";
import type { ManifestContext } from "./context.ts";
import { projectLabels } from "./labels.ts";
import type { Manifest } from "./manifest.ts";
import { registriesSecretName } from "./names.ts";
import type { Project } from "./project.ts";

/**
 * What a project's pods pull private images with, all its registries together. It hangs on the account and not on the
 * pods, and keeps its name: a new password starts nothing anew. Undefined where every image is open to all.
 */
export function registriesSecret(
  project: Project,
  services: readonly DesiredService[],
  context: ManifestContext,
): Manifest | undefined {
  const auths = services
    .flatMap(({ image_credentials: one }) => (one ? [one] : []))
    .toSorted((a, b) => (a.registry < b.registry ? -1 : a.registry > b.registry ? 1 : 0))
    .map(({ registry, username, password }): [string, unknown] => [
      // The kubelet looks Docker Hub up by the address of its first version.
      registry === "docker.io" ? "https://index.docker.io/v1/" : registry,
      { username, password, auth: Buffer.from(`${username}:${password}`).toString("base64") },
    ]);
  if (auths.length === 0) return undefined;
  const config = JSON.stringify({ auths: Object.fromEntries(auths) });
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: registriesSecretName,
      namespace: project.namespace,
      labels: projectLabels(project, context.clusterId),
    },
    type: "kubernetes.io/dockerconfigjson",
    data: { ".dockerconfigjson": Buffer.from(config).toString("base64") },
  };
}
