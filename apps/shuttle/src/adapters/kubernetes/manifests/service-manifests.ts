import type { DesiredService } from "@starform/contract/clusters";
import { configMap } from "./config-map.ts";
import type { ManifestContext } from "./context.ts";
import { cronJob } from "./cron-job.ts";
import { deployment } from "./deployment.ts";
import { horizontalPodAutoscaler } from "./horizontal-pod-autoscaler.ts";
import { httpRoutes } from "./http-route.ts";
import { refOf, refTo, step, type Dependency, type Manifest, type ManifestStep } from "./manifest.ts";
import { appAccountName, isolationName } from "./names.ts";
import { podDisruptionBudget } from "./pod-disruption-budget.ts";
import type { RunningTemplate } from "./running-template.ts";
import { service } from "./service.ts";
import { varGroupSecret } from "./var-group-secret.ts";
import { volumeClaim } from "./volume-claim.ts";

/**
 * All that belongs to one service in one environment, in the order of application; nothing for a deleted one. Pure: the
 * same input gives the same bytes. `running` is what the cluster's pod template says now (`runningTemplateOf`), if there
 * is one. Steps refer to those of `projectManifests`.
 */
export function manifestsOf(
  desired: DesiredService,
  context: ManifestContext,
  running?: RunningTemplate,
): readonly ManifestStep[] {
  if (desired.deleted) return [];
  const space = refTo("Namespace", undefined, desired.namespace);
  const sources = podSources(desired, context);
  const before = [
    space,
    refTo("ServiceAccount", desired.namespace, appAccountName),
    refTo("NetworkPolicy", desired.namespace, isolationName(desired.environment)),
    ...sources.map(refOf),
  ];
  return [
    ...sources.map((source) => step(source, space)),
    ...(desired.service_type === "cron"
      ? [step(cronJob(desired, context), ...before)]
      : served(desired, context, deployment(desired, context, running), before)),
  ];
}

/** What a pod cannot start without. */
const podSources = (desired: DesiredService, context: ManifestContext): readonly Manifest[] => [
  configMap(desired, context),
  ...desired.var_groups.map((group) => varGroupSecret(desired, group, context)),
  ...desired.volumes.map((volume) => volumeClaim(desired, volume, context)),
];

function served(
  desired: DesiredService,
  context: ManifestContext,
  workload: Manifest,
  before: readonly string[],
): ManifestStep[] {
  const [space = ""] = before;
  const address = service(desired, context);
  const budget = podDisruptionBudget(desired, context);
  const scaler = horizontalPodAutoscaler(desired, context);
  // Until the first instance was ready, an address that answers nothing would only hide why.
  const answers: Dependency[] = desired.replicas > 0 ? [{ on: refOf(workload), until: "ready-once" }] : [];
  return [
    ...(address ? [step(address, space)] : []),
    step(budget, space),
    step(workload, ...before),
    ...(scaler ? [step(scaler, refOf(workload))] : []),
    ...(address ? httpRoutes(desired, context).map((route) => step(route, refOf(address), ...answers)) : []),
  ];
}
