import { hostname } from "node:os";
import type { Config } from "../config.ts";
import { alone, type Leadership } from "../core/leadership.ts";

type Deps = { readonly warn: (sentence: string) => void };

/** On a machine there is one Shuttle; on Kubernetes there may be several, of which one leads. */
export async function openLeadership(
  config: Config,
  { warn }: Deps,
): Promise<AsyncDisposable & { readonly leadership: Leadership; readonly mayStandBy: boolean }> {
  if (!config.hasLeaderElection || config.runtime !== "kubernetes")
    return { leadership: alone, mayStandBy: false, [Symbol.asyncDispose]: async () => undefined };
  const { leaseLeadership } = await import("../adapters/kubernetes/lease-leadership.ts");
  const { systemNamespace } = await import("../adapters/kubernetes/manifests/names.ts");
  const { openKubeApiOf } = await import("./open-kubernetes.ts");
  const api = await openKubeApiOf(config);
  return {
    leadership: leaseLeadership({
      api,
      namespace: systemNamespace,
      name: "shuttle",
      // A pod's host name is the pod's, which no other one has while it lives.
      identity: `${hostname()}-${process.pid}`,
      warn,
    }),
    mayStandBy: true,
    [Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
  };
}
