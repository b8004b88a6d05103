import { publicHost } from "@starform/contract/hosts";
import type { ServiceSettings } from "@starform/contract/services";
import { Fault } from "@starform/std/fault";
import type { Environment, Project } from "../access/ports.ts";
import type { UnitOfWork } from "../stores.ts";
import type { Service } from "./ports.ts";

/** Puts a service into an environment, with its host where it is a web service. */
export async function placeService(
  { services }: UnitOfWork,
  {
    project,
    service,
    environment,
    settings,
    appsDomain,
  }: {
    project: Project;
    service: Service;
    environment: Environment;
    settings: ServiceSettings;
    appsDomain: string;
  },
): Promise<void> {
  await services.place({ serviceId: service.id, environmentId: environment.id, settings });
  if (service.type === "web")
    await services.setHost(
      service.id,
      environment.id,
      hostOf(service.name, project, environment, appsDomain),
    );
}

/** The host of a service; one label of DNS holds at most 63 characters. */
export function hostOf(
  service: string,
  project: Project,
  environment: { name: string },
  appsDomain: string,
): string {
  const host = publicHost(service, project.slug, environment.name, appsDomain.replace(/:\d+$/, ""));
  const label = host.split(".")[0] ?? "";
  if (label.length > 63)
    throw new Fault(
      "invalid",
      `the address ${label} would have ${label.length} characters, and 63 are possible: choose a shorter name for the service`,
    );
  return host;
}
