import { stopSeconds } from "@starform/testkit/kubernetes/kubelet/finish-container";
import type { JsonObject } from "@starform/testkit/kubernetes/model/json";
import type { SeenObjects } from "./seen-objects.ts";

/** A pod that is deleted stays in an Envoy's view for up to this long, on the cluster's clock (ADR 8). */
const lagMs = 5_000;
/** Envoy keeps an idle connection for this long (backend-traffic-policy.ts); what ends under one is lost, not sent again. */
const keptMs = 1_500;

type Json = Record<string, unknown>;
type Endpoint = {
  readonly conditions: { readonly ready: boolean };
  readonly targetRef: { readonly name: string };
};
const readyOf = (slice: unknown): readonly string[] =>
  (((slice as Json | undefined)?.["endpoints"] ?? []) as Endpoint[])
    .filter(({ conditions }) => conditions.ready)
    .map(({ targetRef }) => targetRef.name);

export type LateProxy = ReturnType<typeof lateProxy>;

/** What a proxy knows of a cluster's pods: new ones at once, those that left too late. */
export function lateProxy(seen: SeenObjects, nowMs: () => number) {
  /** Endpoints that a service had. */
  const had = new Map<string, Set<string>>();
  const deleted = new Map<string, { readonly atMs: number; readonly toldMs: number }>();
  seen.onChange(({ resource, object, previous }) => {
    const metadata = (object ?? previous)?.metadata;
    if (resource === "endpointslices") {
      const service = `${metadata?.namespace}/${metadata?.labels?.["kubernetes.io/service-name"]}`;
      had.set(service, new Set([...(had.get(service) ?? []), ...readyOf(object)]));
    }
    if (resource === "pods" && metadata?.deletionTimestamp && !previous?.metadata.deletionTimestamp) {
      const [container = {}] = ((object?.["spec"] as Json | undefined)?.["containers"] ?? []) as JsonObject[];
      const sleepMs = stopSeconds(container) * 1_000;
      deleted.set(`${metadata.namespace}/${metadata.name}`, { atMs: nowMs(), toldMs: nowMs() + sleepMs });
    }
  });
  return {
    /** The pods that a request to the service may be sent to, of those that are ready and those that were. */
    seen(namespace: string, service: string, ready: readonly string[]): readonly string[] {
      const past = [...(had.get(`${namespace}/${service}`) ?? [])].filter((name) =>
        deleted.has(`${namespace}/${name}`),
      );
      return [...new Set([...ready, ...past])].filter((name) => {
        const atMs = deleted.get(`${namespace}/${name}`)?.atMs ?? Number.POSITIVE_INFINITY;
        return nowMs() - atMs < lagMs;
      });
    },
    /** What becomes of a request that is sent to the pod now. */
    fateOf(namespace: string, name: string): "answered" | "reset" | "refused" {
      const toldMs = deleted.get(`${namespace}/${name}`)?.toldMs ?? Number.POSITIVE_INFINITY;
      const sinceMs = nowMs() - toldMs;
      return sinceMs < 0 ? "answered" : sinceMs < keptMs ? "reset" : "refused";
    },
  };
}
