import type { PinImage } from "../images/pin-image.ts";
import type { Stores } from "../stores.ts";
import type { NewDeployment } from "./create-deployment.ts";
import type { DeploymentSource } from "./deployment-origin.ts";

/**
 * The source with its image's digest in place of a tag, where it is an image; before the transaction, because a registry
 * is asked. A service whose source is an image deploys that again, not what was deployed last: its tag may have moved.
 */
export async function pinnedSource(
  { services, pin }: { services: Stores["services"]; pin: PinImage },
  { project, environment, place, source }: NewDeployment,
): Promise<DeploymentSource> {
  if (source.kind === "image") return { ...source, image: await pin(project, source.image) };
  if (source.kind !== "latest") return source;
  const found = await services.placed(project.id, environment.id, place.id);
  return found?.source.kind === "image"
    ? { kind: "image", image: await pin(project, found.source.image) }
    : source;
}
