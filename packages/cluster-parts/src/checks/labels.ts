import type { Check } from "../examination.ts";
import { bootstrapAgain, findingsOf } from "./finding.ts";

const { ok, error } = findingsOf("labels");
const wanted: readonly {
  readonly name: string;
  readonly label: string;
  readonly value: string;
  readonly why: string;
}[] = [
  {
    name: "envoy-gateway-system",
    label: "starform.io/namespace-role",
    value: "gateway",
    why: "without it every environment's NetworkPolicy keeps the gateway out",
  },
  {
    name: "starform-system",
    label: "pod-security.kubernetes.io/enforce",
    value: "restricted",
    why: "without it anything may run beside Shuttle's token",
  },
];

/** The labels that others rely on. */
export const checkLabels: Check = async ({ kube, signal }) =>
  Promise.all(
    wanted.map(async ({ name, label, value, why }) => {
      const found = await kube.get({ apiVersion: "v1", kind: "Namespace", name }, signal);
      if (!found) return error(`there is no namespace ${name}`, bootstrapAgain);
      return found.metadata.labels?.[label] === value
        ? ok(`namespace ${name} says ${label}=${value}`)
        : error(`namespace ${name} does not say ${label}=${value}: ${why}`, bootstrapAgain);
    }),
  );
