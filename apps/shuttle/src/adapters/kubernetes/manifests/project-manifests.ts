import type { DesiredService } from "@starform/contract/clusters";
import type { ManifestContext } from "./context.ts";
import { limitRange } from "./limit-range.ts";
import { refOf, step, type ManifestStep } from "./manifest.ts";
import { namespace } from "./namespace.ts";
import { networkPolicy } from "./network-policy.ts";
import { registriesSecretName } from "./names.ts";
import { registriesSecret } from "./registries-secret.ts";
import { resourceQuota } from "./resource-quota.ts";
import { roleBinding } from "./role-binding.ts";
import { role } from "./role.ts";
import { serviceAccount } from "./service-account.ts";

/**
 * What a project has once, and once for each environment, in the order of application. It takes the services of one
 * project; none that is not deleted: nothing.
 */
export function projectManifests(
  services: readonly DesiredService[],
  context: ManifestContext,
): readonly ManifestStep[] {
  const alive = services.filter(({ deleted }) => !deleted);
  // The slug may be told differently while a rename is on its way: the order of services must not decide.
  const [project] = alive.toSorted((a, b) =>
    compare(a.service_id + a.environment, b.service_id + b.environment),
  );
  if (!project) return [];
  const space = namespace(project, context);
  const registries = registriesSecret(project, alive, context);
  const account = serviceAccount(project, context, [
    ...context.imagePullSecrets,
    ...(registries ? [registriesSecretName] : []),
  ]);
  const allowed = role(project, context);
  const environments = [...new Set(alive.map(({ environment }) => environment))].toSorted(compare);
  return [
    step(space),
    ...(registries ? [step(registries, refOf(space))] : []),
    ...[account, allowed].map((manifest) => step(manifest, refOf(space))),
    step(roleBinding(project, context), refOf(account), refOf(allowed)),
    ...[resourceQuota(project, context), limitRange(project, context)].map((manifest) =>
      step(manifest, refOf(space)),
    ),
    ...environments.map((environment) => step(networkPolicy(project, environment, context), refOf(space))),
  ];
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
