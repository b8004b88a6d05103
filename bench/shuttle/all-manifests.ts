import type { DesiredService } from "@starform/contract/clusters";
import {
  projectInventory,
  serviceInventory,
} from "../../apps/shuttle/src/adapters/kubernetes/apply/inventory.ts";
import { plainContext } from "../../apps/shuttle/src/adapters/kubernetes/manifests/context.ts";
import { projectManifests } from "../../apps/shuttle/src/adapters/kubernetes/manifests/project-manifests.ts";
import type { ManifestStep } from "../../apps/shuttle/src/adapters/kubernetes/manifests/manifest.ts";
import { manifestsOf } from "../../apps/shuttle/src/adapters/kubernetes/manifests/service-manifests.ts";

/** What Shuttle applies for the services, less what waits for instances, in an order in which kubectl can take it. */
export function allManifests(services: readonly DesiredService[], clusterId: string): readonly object[] {
  const context = plainContext(clusterId);
  const byProject = Map.groupBy(services, ({ namespace }) => namespace);
  const first = (steps: readonly ManifestStep[]) => ({
    wanted: steps.map(({ manifest }) => manifest),
    objects: new Map(),
  });
  return [
    ...[...byProject.values()].flatMap((each) => {
      const [space, ...rest] = projectManifests(each, context);
      return [space!, projectInventory(each[0]!, context, first([space!, ...rest])), ...rest];
    }),
    ...services.flatMap((service) => {
      const steps = manifestsOf(service, context);
      return [serviceInventory(service, context, first(steps)), ...steps];
    }),
  ]
    .map(({ manifest }) => manifest)
    .filter(({ kind }) => kind !== "HTTPRoute");
}
