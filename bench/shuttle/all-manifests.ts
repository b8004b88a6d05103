import type { DesiredService } from "@starform/contract/clusters";
import { plainContext } from "../../apps/shuttle/src/adapters/kubernetes/manifests/context.ts";
import { projectManifests } from "../../apps/shuttle/src/adapters/kubernetes/manifests/project-manifests.ts";
import { manifestsOf } from "../../apps/shuttle/src/adapters/kubernetes/manifests/service-manifests.ts";

/** What Shuttle applies for the services, less what waits for instances, in an order in which kubectl can take it. */
export function allManifests(services: readonly DesiredService[], clusterId: string): readonly object[] {
  const context = plainContext(clusterId);
  const byProject = Map.groupBy(services, ({ namespace }) => namespace);
  return [
    ...[...byProject.values()].flatMap((each) => projectManifests(each, context)),
    ...services.flatMap((service) => manifestsOf(service, context)),
  ]
    .map(({ manifest }) => manifest)
    .filter(({ kind }) => kind !== "HTTPRoute");
}
