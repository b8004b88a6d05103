import type { ServiceSettings } from "@starform/contract/services";
import type { Clock } from "@starform/std/clock";
import type { PlacedService } from "../services/ports.ts";
import type { UnitOfWork } from "../stores.ts";
import { endWith } from "./end.ts";
import type { Deployment, RunConfig } from "./ports.ts";
import { beginStage } from "./stages.ts";

export const runConfigOf = (
  { name, type }: Pick<PlacedService, "name" | "type">,
  settings: ServiceSettings,
): RunConfig => ({
  serviceName: name,
  serviceType: type,
  tier: settings.tier,
  startCommand: settings.startCommand,
  healthCheck: settings.healthCheck,
  schedule: settings.schedule,
});

/**
 * Makes a deployment what its place should run. One that a newer has overtaken is cancelled instead; older ones on
 * their way are.
 */
export async function activate(
  uow: UnitOfWork,
  clock: Clock,
  {
    deployment,
    place,
    clusterId,
    config,
    image,
    imageDigest,
  }: {
    deployment: Deployment;
    place: PlacedService;
    clusterId: string;
    config: RunConfig;
    image: string;
    imageDigest: string | null;
  },
): Promise<Deployment | undefined> {
  const target = place.targetDeploymentId
    ? await uow.deployments.byId(deployment.projectId, place.targetDeploymentId)
    : undefined;
  if (target && target.number > deployment.number)
    return endWith(uow, clock, deployment, "cancelled", `superseded by #${target.number}`);
  for (const other of await uow.deployments.open(place.id, place.environmentId))
    if (other.number < deployment.number && other.status === "deploying")
      await endWith(uow, clock, other, "cancelled", `superseded by #${deployment.number}`);
  const now = clock.now();
  const active = await uow.deployments.change(deployment.id, ["pending", "built"], {
    status: "deploying",
    config,
    image,
    imageDigest,
    deployingAt: now,
    stages: beginStage(deployment.stages, "deploy", now),
  });
  if (!active) return undefined;
  await uow.services.setTarget(place.id, place.environmentId, deployment.id);
  await uow.projects.touch(deployment.projectId);
  await uow.clusters.bumpVersion(clusterId);
  return active;
}
