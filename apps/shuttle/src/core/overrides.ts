import { DesiredService, type DesiredState } from "@starform/contract/clusters";
import { z } from "zod";
import { keyOf, type ServiceKey } from "./service-key.ts";

/**
 * A service held at what an earlier version of the desired state said of it, by someone with the cluster's credentials.
 * It holds until Starbase names another deployment for the service: then Starbase decides again.
 */
export const Override = z.object({
  key: z.string(),
  from_version: z.number().int(),
  /** The deployment that Starbase wants, and that does not run because of this. */
  instead_of: z.string(),
  service: DesiredService,
  by: z.string(),
  at: z.iso.datetime(),
});
export type Override = z.infer<typeof Override>;

export type Overlaid = {
  readonly state: DesiredState;
  readonly held: ReadonlyMap<ServiceKey, Override>;
  /** No longer in force, since Starbase has decided anew or wants the service gone. */
  readonly ended: readonly Override[];
};

/** The desired state with what is held back put in place of what Starbase wants. */
export function overlaid(state: DesiredState, overrides: readonly Override[]): Overlaid {
  const wanted = new Map(state.services.map((service) => [keyOf(service), service]));
  const isInForce = ({ key, instead_of }: Override): boolean => {
    const service = wanted.get(key);
    return service !== undefined && !service.deleted && service.provenance.deployment_id === instead_of;
  };
  const held = new Map(overrides.filter(isInForce).map((override) => [override.key, override]));
  return {
    held,
    ended: overrides.filter((override) => !isInForce(override)),
    state: {
      ...state,
      services: state.services.map((service) => {
        const override = held.get(keyOf(service));
        return override ? heldAt(override.service, service) : service;
      }),
    },
  };
}

/** What runs comes from the earlier version; where, how many and since which restart from the one in force. */
const heldAt = (earlier: DesiredService, now: DesiredService): DesiredService => ({
  ...earlier,
  namespace: now.namespace,
  project_slug: now.project_slug,
  service_name: now.service_name,
  hostname: now.hostname,
  hostnames: now.hostnames,
  replicas: now.replicas,
  autoscaling: now.autoscaling,
  restart_nonce: now.restart_nonce,
  is_ephemeral: now.is_ephemeral,
  deleted: now.deleted,
});
