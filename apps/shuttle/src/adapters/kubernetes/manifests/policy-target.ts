import { gatewayName } from "./names.ts";

/** One policy of a kind to a target: of several, only the oldest would hold. */
export const gatewayTarget = {
  group: "gateway.networking.k8s.io",
  kind: "Gateway",
  name: gatewayName,
};
