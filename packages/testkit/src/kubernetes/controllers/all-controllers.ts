import type { Kubelet } from "../kubelet/kubelet.ts";
import { gatewayClasses } from "../gateway/gateway-classes.ts";
import { gateways } from "../gateway/gateways.ts";
import { httpRoutes } from "../gateway/http-routes.ts";
import { policies } from "../gateway/policies.ts";
import type { Store } from "../store/store.ts";
import { apiServices } from "./api-services.ts";
import { openAutoscalers } from "./autoscalers.ts";
import { claimProtection } from "./claim-protection.ts";
import type { Controller } from "./controller.ts";
import { cronJobs } from "./cron-jobs.ts";
import { customDefinitions } from "./custom-definitions.ts";
import { daemonSets } from "./daemon-sets.ts";
import { deployments } from "./deployments.ts";
import { disruptionBudgets, isBudgeted } from "./disruption-budgets.ts";
import { endpointSlices, isBehind } from "./endpoint-slices.ts";
import { garbageCollector } from "./garbage-collector.ts";
import { jobs } from "./jobs.ts";
import { namespaces } from "./namespaces.ts";
import { quotas } from "./quotas.ts";
import { replicaSets } from "./replica-sets.ts";
import { openScheduler } from "./scheduler.ts";
import { openSelectorIndex } from "./selector-index.ts";
import { statefulSets } from "./stateful-sets.ts";
import { volumeClaims } from "./volume-claims.ts";

export type Parts = {
  readonly store: Store;
  readonly kubelet: Kubelet;
  readonly hasGatewayController: boolean;
};

/** Every controller, those first whose work the others look at: what a later one counts is then complete. */
export const allControllers = ({ store, kubelet, hasGatewayController }: Parts): readonly Controller[] => [
  customDefinitions,
  apiServices,
  namespaces,
  volumeClaims,
  claimProtection,
  openScheduler(),
  kubelet.controller,
  cronJobs,
  jobs,
  statefulSets,
  daemonSets,
  replicaSets,
  deployments,
  openAutoscalers(),
  garbageCollector,
  endpointSlices(openSelectorIndex(store, "services", isBehind)),
  disruptionBudgets(openSelectorIndex(store, "poddisruptionbudgets.policy", isBudgeted)),
  quotas,
  ...(hasGatewayController
    ? [
        gatewayClasses,
        gateways,
        httpRoutes,
        policies("clienttrafficpolicies.gateway.envoyproxy.io"),
        policies("backendtrafficpolicies.gateway.envoyproxy.io"),
        policies("securitypolicies.gateway.envoyproxy.io"),
      ]
    : []),
];
