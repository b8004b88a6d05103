import type { KindRef, KubeApi } from "@starform/kubernetes/kube-api";
import { ownSelector } from "./ownership.ts";
import { byShuttle, claimKind, kind, namespaceKind } from "./removal-kinds.ts";

/** What there is before a removal, for the question to a person. */
export type Inventory = {
  readonly projects: number;
  readonly services: number;
  readonly volumes: number;
  readonly parts: number;
};

export async function inventoryOf(kube: KubeApi, signal?: AbortSignal): Promise<Inventory> {
  const count = async (what: KindRef, labelSelector: string) =>
    (await kube.list(what, { labelSelector, metadataOnly: true }, signal)).items.length;
  return {
    projects: await count(namespaceKind, byShuttle),
    services:
      (await count(kind("apps/v1", "Deployment"), byShuttle)) +
      (await count(kind("batch/v1", "CronJob"), byShuttle)),
    volumes: await count(claimKind, byShuttle),
    parts: await count(namespaceKind, ownSelector),
  };
}
