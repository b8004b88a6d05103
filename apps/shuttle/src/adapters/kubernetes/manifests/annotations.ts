import type { DesiredService } from "@starform/contract/clusters";
import { digestOf } from "@starform/std/canonical-json";
import { instanceChecksum } from "../../../core/service-checksum.ts";
import { prefix } from "./labels.ts";

type Annotations = Readonly<Record<string, string>>;

export const instanceChecksumAnnotation = `${prefix}instance-checksum`;
export const drainSecondsAnnotation = `${prefix}drain-seconds`;

const prefixed = (annotations: Annotations): Annotations =>
  Object.fromEntries(Object.entries(annotations).map(([name, value]) => [prefix + name, value]));

/** Where what runs comes from. On the Deployment or CronJob, where it may change without a new pod. */
export const provenanceAnnotations = ({ provenance, is_ephemeral }: DesiredService): Annotations => ({
  ...prefixed({
    ...fixedProvenance(provenance),
    "git-repo": provenance.git_repo,
    "deployed-at": provenance.deployed_at,
    "deployed-by": provenance.deployed_by,
    "is-ephemeral": String(is_ephemeral),
  }),
  "kubernetes.io/change-cause": `Deployment ${provenance.deployment_id} by ${provenance.deployed_by}`,
});

/** What a deployment never changes after its making: the only provenance a pod template may hold. */
const fixedProvenance = (provenance: DesiredService["provenance"]): Annotations => ({
  "deployment-id": provenance.deployment_id,
  "build-id": provenance.build_id,
  "git-sha": provenance.git_sha,
  "git-ref": provenance.git_ref,
  "image-ref": provenance.image_ref,
});

/** Of a pod template: what starts new pods when it changes. */
export const rolloutAnnotations = (service: DesiredService, drainSeconds: number): Annotations =>
  prefixed({
    ...fixedProvenance(service.provenance),
    "var-group-checksum": varGroupChecksum(service),
    "config-checksum": service.config_checksum,
    "restart-nonce": service.restart_nonce,
    "instance-checksum": instanceChecksum(service),
    "drain-seconds": String(drainSeconds),
  });

export const projectAnnotations = ({ project_slug }: Pick<DesiredService, "project_slug">): Annotations =>
  prefixed({ "project-slug": project_slug });

/** Which entries of a group are secrets and which plain variables: names only. */
export const secretNamesAnnotation = (names: readonly string[]): Annotations =>
  prefixed({ "secret-names": names.toSorted().join(",") });

/** Over the groups in the order in which they are attached: another order is another environment. */
const varGroupChecksum = ({ var_groups }: DesiredService): string =>
  digestOf(var_groups.map(({ var_group_id, checksum }) => [var_group_id, checksum]));
