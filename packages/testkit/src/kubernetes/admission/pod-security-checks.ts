import { containersOf } from "../kinds/pod-defaults.ts";
import { asObject, asObjects, asStrings, at, type Json, type JsonObject } from "../model/json.ts";

export type Level = "privileged" | "baseline" | "restricted";
type Check = (spec: JsonObject) => string | undefined;

const nameOf = ({ name }: JsonObject): string => JSON.stringify(name);
/** `container "a"` or `containers "a", "b"`. */
const named = (containers: readonly JsonObject[]): string =>
  `container${containers.length > 1 ? "s" : ""} ${containers.map(nameOf).join(", ")}`;
const security = (container: JsonObject): JsonObject => asObject(container["securityContext"]);
const podSecurity = (spec: JsonObject): JsonObject => asObject(spec["securityContext"]);

/** A check of containers one by one: which of them are wrong, and what to say of them. */
const containers =
  (isWrong: (container: JsonObject) => boolean, text: (wrong: readonly JsonObject[]) => string): Check =>
  (spec) => {
    const wrong = containersOf(spec).filter(isWrong);
    return wrong.length > 0 ? text(wrong) : undefined;
  };

const defaultCapabilities = [
  "AUDIT_WRITE",
  "CHOWN",
  "DAC_OVERRIDE",
  "FOWNER",
  "FSETID",
  "KILL",
  "MKNOD",
  "NET_BIND_SERVICE",
  "SETFCAP",
  "SETGID",
  "SETPCAP",
  "SETUID",
  "SYS_CHROOT",
];
const added = (container: JsonObject): readonly string[] =>
  asStrings(at(security(container), "capabilities", "add"));
const dropped = (container: JsonObject): readonly string[] =>
  asStrings(at(security(container), "capabilities", "drop"));
const adding = (allowed: readonly string[]) => (container: JsonObject) =>
  added(container).some((one) => !allowed.includes(one));
const addedText = (wrong: readonly JsonObject[], allowed: readonly string[]): string => {
  const names = [...new Set(wrong.flatMap(added).filter((one) => !allowed.includes(one)))].sort();
  return `${named(wrong)} must not include ${names.map((one) => JSON.stringify(one)).join(", ")} in securityContext.capabilities.add`;
};

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
const escalation = containers(
  (container) => security(container)["allowPrivilegeEscalation"] !== false,
  (wrong) =>
    `allowPrivilegeEscalation != false (${named(wrong)} must set securityContext.allowPrivilegeEscalation=false)`,
);

const restrictedCapabilities: Check = (spec) => {
  const undropped = containersOf(spec).filter((container) => !dropped(container).includes("ALL"));
  const adders = containersOf(spec).filter(adding(["NET_BIND_SERVICE"]));
  const parts = [
    ...(undropped.length > 0
      ? [`${named(undropped)} must set securityContext.capabilities.drop=["ALL"]`]
      : []),
    ...(adders.length > 0 ? [addedText(adders, ["NET_BIND_SERVICE"])] : []),
  ];
  return parts.length > 0 ? `unrestricted capabilities (${parts.join("; ")})` : undefined;
};

const allowedVolumes = [
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "image",
  "persistentVolumeClaim",
  "projected",
  "secret",
];
const volumeType = (volume: JsonObject): string =>
  Object.keys(volume).find((field) => field !== "name") ?? "emptyDir";
const restrictedVolumes: Check = (spec) => {
  const wrong = asObjects(spec["volumes"]).filter((volume) => !allowedVolumes.includes(volumeType(volume)));
  if (wrong.length === 0) return undefined;
  const types = [...new Set(wrong.map(volumeType))].map((one) => JSON.stringify(one));
  const many = (list: readonly unknown[]) => (list.length > 1 ? "s" : "");
  return `restricted volume types (volume${many(wrong)} ${wrong.map(nameOf).join(", ")} use${wrong.length > 1 ? "" : "s"} restricted volume type${many(types)} ${types.join(", ")})`;
};

const nonRoot: Check = (spec) => {
  const all = containersOf(spec);
  const opting = all.filter((container) => security(container)["runAsNonRoot"] === false);
  const unset = all.filter((container) => security(container)["runAsNonRoot"] === undefined);
  const pod = podSecurity(spec)["runAsNonRoot"];
  const parts = [
    ...(pod === false ? ["pod must not set securityContext.runAsNonRoot=false"] : []),
    ...(opting.length > 0 ? [`${named(opting)} must not set securityContext.runAsNonRoot=false`] : []),
    ...(pod === undefined && unset.length > 0
      ? [`pod or ${named(unset)} must set securityContext.runAsNonRoot=true`]
      : []),
  ];
  return parts.length > 0 ? `runAsNonRoot != true (${parts.join("; ")})` : undefined;
};
const rootUser: Check = (spec) => {
  const wrong = containersOf(spec).filter((container) => security(container)["runAsUser"] === 0);
  const parts = [
    ...(podSecurity(spec)["runAsUser"] === 0 ? ["pod must not set runAsUser=0"] : []),
    ...(wrong.length > 0 ? [`${named(wrong)} must not set runAsUser=0`] : []),
  ];
  return parts.length > 0 ? `runAsUser=0 (${parts.join("; ")})` : undefined;
};
const restrictedSeccomp: Check = (spec) => {
  const profile = (context: JsonObject) => at(context, "seccompProfile", "type");
  const isGood = (value: Json | undefined) => value === "RuntimeDefault" || value === "Localhost";
  const pod = profile(podSecurity(spec));
  const bad = containersOf(spec).filter((container) => {
    const own = profile(security(container));
    return own !== undefined && !isGood(own);
  });
  const unset = containersOf(spec).filter((container) => profile(security(container)) === undefined);
  const want = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"';
  const parts = [
    ...(pod !== undefined && !isGood(pod)
      ? [`pod must not set securityContext.seccompProfile.type to ${JSON.stringify(pod)}`]
      : []),
    ...(bad.length > 0
      ? [
          `${named(bad)} must not set securityContext.seccompProfile.type to ${[...new Set(bad.map((one) => JSON.stringify(profile(security(one)))))].join(", ")}`,
        ]
      : []),
    ...(pod === undefined && unset.length > 0 ? [`pod or ${named(unset)} ${want}`] : []),
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
