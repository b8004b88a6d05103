import type { Check } from "../examination.ts";
import { gatewayKinds } from "../preflight.ts";
import { findingsOf } from "./finding.ts";

const { ok, warning, error } = findingsOf("gateway");
type Conditions = {
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly message?: string;
      readonly observedGeneration?: number;
    }[];
    readonly addresses?: readonly { readonly value: string }[];
  };
};
const gateway = {
  apiVersion: "gateway.networking.k8s.io/v1",
  kind: "Gateway",
  namespace: "envoy-gateway-system",
  name: "starform",
};

/** The kinds of the Gateway API, and whether Shuttle's Gateway has what it takes to let anybody in. */
export const checkGateway: Check = async ({ kube, facts, signal }) => {
  for (const kind of gatewayKinds)
    if (!(await kube.serves(kind, signal)))
      return [error(`the cluster does not serve ${kind.kind}`, "run starform cluster bootstrap")];
  const foreign = facts.foreignGatewayApi.map(({ maker, bundleVersion }) =>
    ok(`the kinds of the Gateway API are ${maker}'s${bundleVersion ? `, ${bundleVersion}` : ""}`),
  );
  const found = await kube.get(gateway, signal);
  if (!found)
    return [
      ...foreign.slice(0, 1),
      warning(
        "there is no shared Gateway yet",
        "Shuttle makes it with the first desired state: see whether Shuttle is ready",
      ),
    ];
  const { conditions = [], addresses = [] } = (found as Conditions).status ?? {};
  const programmed = conditions.find(({ type }) => type === "Programmed");
  return [
    ...foreign.slice(0, 1),
    programmed?.status === "True" && programmed.observedGeneration === found.metadata.generation
      ? ok(`the shared Gateway is programmed${addresses[0] ? ` at ${addresses[0].value}` : ""}`)
      : error(
          `the shared Gateway is not programmed: ${programmed?.message ?? "Envoy Gateway has not looked at it yet"}`,
          "see docs/runbooks/gateway-not-programmed.md",
        ),
  ];
};
