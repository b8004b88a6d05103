import type { KubeApi, KubeObject } from "@starform/kubernetes/kube-api";
import type { Manifest } from "../manifests/manifest.ts";
import type { OwnedObject } from "../view/owned-object.ts";
import type { DeploymentView } from "../view/workload-views.ts";

/** Keeps the number of replicas while nobody owns it: between Shuttle, who gives it up, and the autoscaler. */
const caretaker = "shuttle-replicas";

/**
 * A field that its only owner leaves out is removed, and a Deployment without a number has one replica: with autoscaling
 * switched on, all others would end at once. So the number they have is first put into the name of a caretaker, from
 * whom the autoscaler takes it. Answers how many writes that took.
 */
export async function handOverReplicas(
  api: KubeApi,
  manifest: Manifest,
  object: OwnedObject | undefined,
  signal: AbortSignal,
): Promise<number> {
  if (manifest.kind !== "Deployment" || !object || object.isGoing) return 0;
  const wants = (manifest["spec"] as { replicas?: number }).replicas;
  const isOurs = /"f:replicas":/.test(object.owned);
  const { replicas } = object as DeploymentView;
  // Of nothing there is nothing to keep, and an autoscaler leaves a service at zero for ever.
  if (wants !== undefined || !isOurs || replicas === 0) return 0;
  const { apiVersion, kind, metadata } = manifest;
  const only = {
    apiVersion,
    kind,
    metadata: { name: metadata.name, namespace: metadata.namespace },
    spec: { replicas },
  };
  await api.apply(only as unknown as KubeObject, { fieldManager: caretaker, force: true }, signal);
  return 1;
}
