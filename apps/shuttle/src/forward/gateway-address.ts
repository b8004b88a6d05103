import type { KubeApi } from "@starform/kubernetes/kube-api";

export type Address = { readonly host: string; readonly port: number };
type Gateway = {
  readonly spec?: { readonly listeners?: readonly { readonly port: number }[] };
  readonly status?: { readonly addresses?: readonly { readonly value?: string }[] };
};

const keptMs = 5_000;

/**
 * Where the cluster's shared Gateway is, as its status says; undefined while it has no address. Looked up when it is asked
 * for, and then kept for five seconds: nothing is asked while nobody comes.
 */
export function gatewayAddress(
  kube: Pick<KubeApi, "get">,
  nowMs = Date.now,
): () => Promise<Address | undefined> {
  let known: { readonly address: Promise<Address | undefined>; readonly atMs: number } | undefined;
  const look = async (): Promise<Address | undefined> => {
    const found = (await kube.get({
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "Gateway",
      namespace: "envoy-gateway-system",
      name: "starform",
    })) as Gateway | undefined;
    const host = found?.status?.addresses?.[0]?.value;
    return host ? { host, port: found?.spec?.listeners?.[0]?.port ?? 80 } : undefined;
  };
  return () => {
    if (!known || nowMs() - known.atMs > keptMs) known = { address: look(), atMs: nowMs() };
    return known.address;
  };
}
