import type { DesiredService } from "@starform/contract/clusters";
import type { RegistryProvider } from "../../ports/registry-provider.ts";
import { readReference } from "../images/image-reference.ts";
import { isOf } from "../images/pin-image.ts";
import type { SecretBox } from "../variables/ports.ts";
import type { DesiredRow } from "./ports.ts";

type Credentials = DesiredService["image_credentials"];
export type OwnRegistry = Pick<RegistryProvider, "prefix" | "host" | "clusterHost" | "pullUntil">;

const periodMs = 30 * 86_400_000;

/** Counts up every thirty days: what a document says of our own registry is good for that long and as long again. */
export const credentialPeriod = (now: Date): number => Math.floor(now.getTime() / periodMs);

/** The image as the cluster's nodes name it: where our own registry is for them. A receipt keeps our name for it. */
export const imageForCluster = (image: string, registry: OwnRegistry | undefined): string =>
  registry && isOf(registry, image) ? `${registry.clusterHost}${image.slice(registry.host.length)}` : image;

/** What a cluster signs in with to pull the image of a deployment; null where nothing is known or needed. */
export function imageCredentials(
  { place, deployment, signIns }: DesiredRow,
  { box, registry, period }: { box: SecretBox; registry: OwnRegistry | undefined; period: number },
): Credentials {
  const image = deployment.image ?? "";
  if (image.startsWith("starform.local/")) return null;
  if (registry && isOf(registry, image)) {
    const own = registry.pullUntil(place.projectId, new Date((period + 2) * periodMs));
    return own ? { registry: registry.clusterHost, username: own.username, password: own.password } : null;
  }
  const { host } = readReference(image);
  const found = signIns.find((one) => one.host === host);
  return found ? { registry: host, username: found.username, password: box.open(found.password) } : null;
}
