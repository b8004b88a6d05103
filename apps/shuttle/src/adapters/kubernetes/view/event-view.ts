import type { KubeObject } from "@starform/kubernetes/kube-api";
import { interned } from "./owned-object.ts";

/** What the kubelet, the scheduler or a controller says of an object. */
export type EventView = {
  readonly uid: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly reason: string;
  readonly message: string;
  readonly count: number;
  readonly atMs: number;
};

/** Reasons that say more than the objects' own conditions do. */
const told: ReadonlySet<string> = new Set([
  "Unhealthy",
  "FailedMount",
  "FailedAttachVolume",
  "ProvisioningFailed",
  "FailedCreate",
  "Evicted",
]);
/** Of a container that the kubelet ends, that it does so because of a probe. */
export const probeFailed = /failed (startup|liveness) probe/;
const messageMax = 600;

export function eventView(object: KubeObject): EventView | undefined {
  const event = object as unknown as {
    involvedObject?: { uid?: string; kind?: string; namespace?: string; name?: string };
    reason?: string;
    message?: string;
    count?: number;
    lastTimestamp?: string | null;
    eventTime?: string | null;
    series?: { count?: number; lastObservedTime?: string };
  };
  const about = event.involvedObject;
  const isOfProbe = event.reason === "Killing" && probeFailed.test(event.message ?? "");
  if (!about?.uid || !(isOfProbe || told.has(event.reason ?? ""))) return undefined;
  return {
    uid: about.uid,
    kind: interned(about.kind ?? ""),
    namespace: interned(about.namespace ?? ""),
    name: about.name ?? "",
    reason: interned(event.reason ?? ""),
    message: interned((event.message ?? "").slice(0, messageMax)),
    count: event.series?.count ?? event.count ?? 1,
    atMs: Date.parse(event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime ?? "") || 0,
  };
}
