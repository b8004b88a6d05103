import type { Config } from "../config.ts";
import { alone, type Leadership } from "../core/leadership.ts";
import type { Time } from "../core/time.ts";

type Deps = { readonly warn: (sentence: string) => void; readonly identity: string; readonly time: Time };

/** On a machine there is one Shuttle; on Kubernetes there may be several, of which one leads. */
export async function openLeadership(
  config: Config,
  { warn, identity, time }: Deps,
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
      identity,
      warn,
      time,
    }),
    mayStandBy: true,
    [Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
  };
}
