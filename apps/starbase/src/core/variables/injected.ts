import { containerPort } from "@starform/contract/hosts";
import type { platformVariables } from "@starform/contract/variables";
import type { Environment, Project } from "../access/ports.ts";
import type { PlacedService } from "../services/ports.ts";

/** How services of this installation are reached. */
export type Addresses = {
  /** `http://api-shop.localhost:4402` */
  readonly publicUrl: (hostname: string) => string;
};

/** What the platform tells a service of itself, whatever is deployed. */
export function injectedVariables(
  project: Project,
  environment: Environment,
  place: PlacedService,
  addresses: Addresses,
  runtime: string,
): Record<string, string> & { [Name in (typeof platformVariables)[number]]?: string } {
  const publicUrl = place.hostname ? addresses.publicUrl(place.hostname) : undefined;
  // Processes share the machine's loopback and have a new port with each instance: the gateway is the way to them.
  const privateUrl =
    place.type !== "web"
      ? undefined
      : runtime === "process"
        ? publicUrl
        : `http://${place.name}:${containerPort}`;
  return {
    STARFORM_PROJECT_ID: project.id,
    STARFORM_PROJECT_NAME: project.slug,
    STARFORM_ENVIRONMENT_ID: environment.id,
    STARFORM_ENVIRONMENT_NAME: environment.name,
    STARFORM_SERVICE_ID: place.id,
    STARFORM_SERVICE_NAME: place.name,
    ...(publicUrl ? { STARFORM_PUBLIC_DOMAIN: new URL(publicUrl).host, STARFORM_PUBLIC_URL: publicUrl } : {}),
    ...(privateUrl
      ? { STARFORM_PRIVATE_DOMAIN: new URL(privateUrl).host, STARFORM_PRIVATE_URL: privateUrl }
      : {}),
  };
}
