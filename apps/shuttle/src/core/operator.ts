import { letGoMax, type DesiredService, type DesiredState } from "@starform/contract/clusters";
import { Fault } from "@starform/std/fault";
import { endedBy, endedHolds, type Override } from "./overrides.ts";
import { keyOf } from "./service-key.ts";

/**
 * The one service that is meant: by id, by `<project>/<environment>/<service>`, `<project>/<service>` or its name alone, as far
 * as that tells it apart. A name of more than one is a Fault that lists them.
 */
export function serviceNamed(state: DesiredState, name: string): DesiredService {
  const isMeant = (service: DesiredService) =>
    [
      service.service_id,
      service.service_name,
      `${service.project_slug}/${service.service_name}`,
      pathOf(service),
    ].includes(name);
  const found = state.services.filter((service) => !service.deleted && isMeant(service));
  if (found.length === 1) return found[0]!;
  if (found.length === 0)
    throw new Fault(
      "not_found",
      `version ${state.version} of the desired state has no service ${name}: \`shuttle status\` lists them`,
    );
  throw new Fault(
    "invalid",
    `${name} is the name of ${found.length} services: say which of ${found.map(pathOf).sort().join(", ")}`,
  );
}

export const pathOf = (service: DesiredService): string =>
  `${service.project_slug}/${service.environment}/${service.service_name}`;

/**
 * What holds the service back at what an earlier version, which is still kept, said of it. `history` is newest first, its first the one in
 * force. What held it before stays with it, for Starbase may not have been told.
 */
export function heldAtVersion(
  history: readonly DesiredState[],
  overrides: readonly Override[],
  wanted: { readonly service: string; readonly version: number; readonly by: string; readonly at: Date },
): Override {
  const [now] = history;
  if (!now)
    throw new Fault("not_found", "no desired state is kept here yet: Shuttle has never reached Starbase");
  const current = serviceNamed(now, wanted.service);
  const earlier = history.find(({ version }) => version === wanted.version);
  if (!earlier)
    throw new Fault(
      "not_found",
      `version ${wanted.version} is not kept; these are: ${history.map(({ version }) => version).join(", ")}`,
    );
  const service = earlier.services.find((one) => keyOf(one) === keyOf(current) && !one.deleted);
  if (!service) throw new Fault("not_found", `${pathOf(current)} was not there in version ${wanted.version}`);
  if (service.provenance.deployment_id === current.provenance.deployment_id)
    throw new Fault(
      "invalid",
      `${pathOf(current)} ran the same deployment in version ${wanted.version}: nothing would change`,
    );
  const begun = { by: wanted.by, at: wanted.at.toISOString() };
  const instead_of = current.provenance.deployment_id;
  const before = overrides.find((one) => one.key === keyOf(current));
  const ended =
    before && (before.instead_of === instead_of ? { let_go: begun, ...before } : endedBy(before, current));
  const over = ended ? endedHolds(ended).slice(-letGoMax) : [];
  return {
    key: keyOf(current),
    from_version: wanted.version,
    instead_of,
    service,
    ...begun,
    ...(over.length > 0 ? { earlier: over } : {}),
  };
}
