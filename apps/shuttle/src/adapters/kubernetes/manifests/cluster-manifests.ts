import type { DesiredState } from "@starform/contract/clusters";
import { backendTrafficPolicy } from "./backend-traffic-policy.ts";
import { clientTrafficPolicy } from "./client-traffic-policy.ts";
import type { ManifestContext } from "./context.ts";
import { envoyProxy } from "./envoy-proxy.ts";
import { gateway } from "./gateway.ts";
import { refOf, step, type ManifestStep } from "./manifest.ts";

/** What a cluster has once, in the order of application. The namespace and the GatewayClass are the bootstrap's. */
export function clusterManifests(
  config: DesiredState["cluster_config"],
  context: ManifestContext,
): readonly ManifestStep[] {
  const proxy = envoyProxy(config, context);
  const shared = gateway(context);
  return [
    step(proxy),
    step(shared, refOf(proxy)),
    step(clientTrafficPolicy(context), refOf(shared)),
    step(backendTrafficPolicy(context), refOf(shared)),
  ];
}
