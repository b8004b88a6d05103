import { createHash } from "node:crypto";
import { DesiredService, type DesiredState } from "@starform/contract/clusters";
import { z } from "zod";
import { keyOf, type ServiceKey } from "./service-key.ts";

const By = z.object({ by: z.string(), at: z.iso.datetime() });

/** One that is over: somebody let it go, held the service anew, or deployed another version of it. */
export const EndedHold = z.object({
  from_version: z.number().int(),
  instead_of: z.string(),
  by: z.string(),
  at: z.iso.datetime(),
  let_go: By,
});
export type EndedHold = z.infer<typeof EndedHold>;

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
  /** It is in force no more; it stays until Starbase has decided anew and was told who ended it. */
  let_go: By.optional(),
  /** What held the service before it, the oldest first: Starbase may not know of it. */
  earlier: z.array(EndedHold).optional(),
});
export type Override = z.infer<typeof Override>;

/** What an override is kept under: of one that cannot be read it still tells whose it is. */
export const overrideName = (key: ServiceKey): string =>
  createHash("sha256").update(key).digest("hex").slice(0, 32);

export type KeptOverrides = {
  readonly overrides: readonly Override[];
  /** Names of those that cannot be read: that they hold something back is known, what they say is not. */
  readonly spoiled: readonly string[];
};

export type Overlaid = {
  readonly state: DesiredState;
  readonly held: ReadonlyMap<ServiceKey, Override>;
  /** Let go, and Starbase has not decided anew since. */
  readonly letGo: ReadonlyMap<ServiceKey, Override>;
  /** Services that something holds back which cannot be read: nobody knows what is to run. */
  readonly unreadable: ReadonlySet<ServiceKey>;
  /** Over since Starbase decided anew, by whoever deployed what it wants now; Starbase is to be told. */
  readonly over: ReadonlyMap<ServiceKey, Override>;
  /** Of services that Starbase wants gone: there is nothing to tell it about. */
  readonly gone: readonly Override[];
};

/** The desired state with what is held back put in place of what Starbase wants. */
export function overlaid(state: DesiredState, { overrides, spoiled }: KeptOverrides): Overlaid {
  const wanted = new Map(
    state.services.filter(({ deleted }) => !deleted).map((service) => [keyOf(service), service]),
  );
  const still = overrides
    .filter(({ key, instead_of }) => wanted.get(key)?.provenance.deployment_id === instead_of)
    .map((override) => [override.key, override] as const);
  const held = new Map(still.filter(([, { let_go }]) => !let_go));
  const stays = new Set(still.map(([key]) => key));
  const names = new Set(spoiled);
  return {
    held,
    letGo: new Map(still.filter(([, { let_go }]) => let_go)),
    unreadable: new Set(
      names.size === 0 ? [] : [...wanted.keys()].filter((key) => names.has(overrideName(key))),
    ),
    over: new Map(
      overrides.flatMap((override) => {
        const service = wanted.get(override.key);
        return service && !stays.has(override.key) ? [[override.key, endedBy(override, service)]] : [];
      }),
    ),
    gone: overrides.filter(({ key }) => !wanted.has(key)),
    state: {
      ...state,
      services: state.services.map((service) => {
        const override = held.get(keyOf(service));
        return override ? heldAt(override.service, service) : service;
      }),
    },
  };
}

/**
 * What runs comes from the earlier version; where, how many and since which restart from the one in force. So does what a
 * registry is signed in to with: the password of then may have been changed, and is the whole project's.
 */
const heldAt = (earlier: DesiredService, now: DesiredService): DesiredService => ({
  ...earlier,
  ...(earlier.image_credentials?.registry === now.image_credentials?.registry
    ? { image_credentials: now.image_credentials }
    : {}),
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

/** How it ended: as somebody let it go, or else by whoever deployed what Starbase wants now; never before it began. */
export const endedBy = (override: Override, { provenance }: DesiredService): Override => {
  const { deployed_by: by, deployed_at } = provenance;
  const at = deployed_at > override.at ? deployed_at : override.at;
  return override.let_go ? override : { ...override, let_go: { by, at } };
};

/** All that are over, of this override and those before it; the oldest first. */
export const endedHolds = ({ earlier = [], let_go, ...hold }: Override): readonly EndedHold[] => {
  const { from_version, instead_of, by, at } = hold;
  return let_go ? [...earlier, { from_version, instead_of, by, at, let_go }] : earlier;
};
