import { createHash } from "node:crypto";
import type { DesiredService, DesiredVarGroup } from "@starform/contract/clusters";
import { routeName } from "@starform/contract/hosts";
import { digestOf } from "@starform/std/canonical-json";

/** Every name Shuttle gives in a cluster. Two things that differ never get one name; the longest has 63 characters. */

type Placed = Pick<DesiredService, "service_id" | "environment">;

/** Where Envoy Gateway and its proxies live: a policy reaches only what is in its own namespace. */
/** Where Shuttle runs, and keeps what it must know without Starbase. */
export const systemNamespace = "starform-system";
export const gatewayNamespace = "envoy-gateway-system";
/** Of the shared Gateway, its class and all that hangs on it. */
export const gatewayName = "starform";
/** The project's ServiceAccount, Role and RoleBinding. */
export const appAccountName = "starform-app";
/** What the project's pods pull private images with. */
export const registriesSecretName = "starform-registries";
/** The project's ResourceQuota and LimitRange. */
export const projectLimitsName = "starform-project";
export const appContainerName = "app";
export const scratchVolumeName = "tmp";

export const isolationName = (environment: string): string => fit(`env-isolation-${environment}`, 63);

/**
 * Of the Deployment, CronJob, Service, PodDisruptionBudget and HorizontalPodAutoscaler. It holds the id and not the
 * service's name, so a rename replaces nothing, and "a-b" in "c" is never "a" in "b-c". It begins with a letter, as a
 * Service's must, and has at most 52 characters, as a CronJob's must.
 */
export const workloadName = ({ service_id, environment }: Placed): string =>
  fit(`svc-${hexOf(service_id, 16)}-${environment}`, 52);

/** Of the ConfigMap that lists what was made for a service, and for a project. */
export const inventoryName = (service: Placed): string => `${workloadName(service)}-inventory`;
export const projectInventoryName = "starform-inventory";

/** Where other apps of the environment reach the service. */
export const privateHost = (service: Placed & Pick<DesiredService, "namespace">): string =>
  `${workloadName(service)}.${service.namespace}.svc.cluster.local`;

/**
 * A HTTPRoute takes 16 hosts. The first route has the plain name; a further one has its number before the environment,
 * `<ids>--2-<environment>`: an environment never begins with a hyphen, so both read back without doubt.
 */
export function httpRouteName(service: Placed & Pick<DesiredService, "project_id">, part: number): string {
  const name = routeName(service.project_id, service.service_id, service.environment);
  const idsLength = name.length - service.environment.length - 1;
  return part === 1 ? name : `${name.slice(0, idsLength)}--${part}-${service.environment}`;
}

/**
 * Of what a pod takes its variables from. The name follows the content: a pod of the version before, started again in the
 * middle of a rollout or after a return, still finds the values it was made with.
 */
export const configMapName = (service: DesiredService): string =>
  `${workloadName(service)}-${contentOf(service.env)}`;

/**
 * `vg-<var group id>` and then the content. One group has different values in two environments of a namespace
 * (references), and in a service that was rolled back: under the bare name they would overwrite each other.
 */
export const varGroupSecretName = (service: Placed, group: DesiredVarGroup): string =>
  `${fit(`vg-${group.var_group_id.toLowerCase()}`, 50)}-${contentOf([workloadName(service), group.variables])}`;

export const volumeClaimName = (service: Placed, volume: string): string =>
  fit(`${workloadName(service)}-${asLabel(volume)}`, 63);

/** Within the pod; no volume of a customer can be taken for one of ours. */
export const podVolumeName = (volume: string): string => fit(`data-${asLabel(volume)}`, 63);

const contentOf = (value: unknown): string => digestOf(value).slice("sha256:".length, "sha256:".length + 10);
const hexOf = (text: string, digits: number): string =>
  createHash("sha256").update(text).digest("hex").slice(0, digits);

/** Text as letters, digits and hyphens; what had to be changed is told apart by a hash of what it was. */
function asLabel(text: string): string {
  const plain = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "");
  return plain === text ? text : `${plain}-${hexOf(text, 8)}`.replace(/^-/, "");
}

/** A longer name keeps its beginning and gets a hash of the whole. */
function fit(name: string, lengthMax: number): string {
  if (name.length <= lengthMax) return name;
  return `${name.slice(0, lengthMax - 9).replace(/-+$/, "")}-${hexOf(name, 8)}`;
}
