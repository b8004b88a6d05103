import type { Environment, Project } from "../access/ports.ts";
import type { Stores } from "../stores.ts";
import type { OpenGroup, VariableBook } from "./book.ts";
import { injectedVariables, type Addresses } from "./injected.ts";
import type { SecretBox } from "./ports.ts";

export type BookDeps = { readonly box: SecretBox; readonly addresses: Addresses };

/** Reads and opens all the variables of one environment. */
export async function openBook(
  stores: Pick<Stores, "services" | "variables" | "clusters">,
  { box, addresses }: BookDeps,
  project: Project,
  environment: Environment,
): Promise<VariableBook> {
  const places = await stores.services.allPlaced(project.id, environment.id);
  const groups = await stores.variables.groups(project.id);
  const attachments = await stores.variables.attachments(project.id);
  const runtime = (await stores.clusters.byId(project.clusterId))?.runtime ?? "process";
  return {
    services: places.map((place) => ({
      id: place.id,
      name: place.name,
      injected: injectedVariables(project, environment, place, addresses, runtime),
    })),
    groups: groups
      .filter((group) => group.environmentId === null || group.environmentId === environment.id)
      .map((group): OpenGroup => ({
        id: group.id,
        name: group.name,
        serviceId: group.serviceId,
        entries: group.entries.map(({ name, isSecret, sealed, digest, updatedAt }) => ({
          name,
          isSecret,
          template: box.open(sealed),
          digest,
          updatedAt,
        })),
      })),
    attached: new Map(
      [
        ...Map.groupBy(
          attachments.filter((a) => a.environmentId === environment.id),
          (a) => a.serviceId,
        ),
      ].map(([serviceId, list]) => [serviceId, list.map((a) => a.groupId)]),
    ),
  };
}
