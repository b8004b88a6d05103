import { containersOf } from "../kinds/pod-defaults.ts";
import { asObjects, at, type Json, type JsonObject } from "../model/json.ts";

import {
  escalation,
  nonRoot,
  restrictedCapabilities,
  restrictedSeccomp,
  restrictedVolumes,
  rootUser,
} from "./pod-security-restricted.ts";
import {
  addedText,
  adding,
  containers,
  defaultCapabilities,
  named,
  nameOf,
  podSecurity,
  security,
  type Check,
} from "./pod-security-words.ts";

export type Level = "privileged" | "baseline" | "restricted";
const hostNamespaces: Check = (spec) => {
  const used = ["hostNetwork", "hostPID", "hostIPC"].filter((field) => spec[field] === true);
  return used.length > 0 ? `host namespaces (${used.map((field) => `${field}=true`).join(", ")})` : undefined;
};
const hostPaths: Check = (spec) => {
  const volumes = asObjects(spec["volumes"]).filter(({ hostPath }) => hostPath !== undefined);
  return volumes.length > 0
    ? `hostPath volumes (volume${volumes.length > 1 ? "s" : ""} ${volumes.map(nameOf).join(", ")})`
    : undefined;
};
const hostPortsOf = (container: JsonObject): readonly Json[] =>
  asObjects(container["ports"]).flatMap(({ hostPort }) => (hostPort ? [hostPort] : []));
const hostPorts = containers(
  (container) => hostPortsOf(container).length > 0,
  (wrong) =>
    `hostPort (${named(wrong)} uses hostPort${wrong.flatMap(hostPortsOf).length > 1 ? "s" : ""} ${wrong.flatMap(hostPortsOf).join(", ")})`,
);
const privileged = containers(
  (container) => security(container)["privileged"] === true,
  (wrong) => `privileged (${named(wrong)} must not set securityContext.privileged=true)`,
);
const baselineCapabilities = containers(
  adding(defaultCapabilities),
  (wrong) => `non-default capabilities (${addedText(wrong, defaultCapabilities)})`,
);
const unconfined = (context: JsonObject): boolean => at(context, "seccompProfile", "type") === "Unconfined";
const baselineSeccomp: Check = (spec) => {
  const wrong = containersOf(spec).filter((container) => unconfined(security(container)));
  const parts = [
    ...(unconfined(podSecurity(spec))
      ? ['pod must not set securityContext.seccompProfile.type to "Unconfined"']
      : []),
    ...(wrong.length > 0
      ? [`${named(wrong)} must not set securityContext.seccompProfile.type to "Unconfined"`]
      : []),
  ];
  return parts.length > 0 ? `seccompProfile (${parts.join("; ")})` : undefined;
};
const checks: Readonly<Record<Level, readonly Check[]>> = {
  privileged: [],
  baseline: [baselineCapabilities, hostNamespaces, hostPaths, hostPorts, privileged, baselineSeccomp],
  restricted: [
    hostNamespaces,
    hostPorts,
    privileged,
    escalation,
    restrictedCapabilities,
    restrictedVolumes,
    nonRoot,
    rootUser,
    restrictedSeccomp,
  ],
};

/** What keeps a pod below the level, in the words of the API server. */
export const violations = (spec: JsonObject, level: Level): readonly string[] =>
  checks[level].flatMap((check) => check(spec) ?? []);
