import { containersOf } from "../kinds/pod-defaults.ts";
import { asObjects, at, type Json, type JsonObject } from "../model/json.ts";
import {
  addedText,
  adding,
  dropped,
  containers,
  named,
  nameOf,
  podSecurity,
  security,
  type Check,
} from "./pod-security-words.ts";

export const escalation = containers(
  (container) => security(container)["allowPrivilegeEscalation"] !== false,
  (wrong) =>
    `allowPrivilegeEscalation != false (${named(wrong)} must set securityContext.allowPrivilegeEscalation=false)`,
);

export const restrictedCapabilities: Check = (spec) => {
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
export const restrictedVolumes: Check = (spec) => {
  const wrong = asObjects(spec["volumes"]).filter((volume) => !allowedVolumes.includes(volumeType(volume)));
  if (wrong.length === 0) return undefined;
  const types = [...new Set(wrong.map(volumeType))].map((one) => JSON.stringify(one));
  const many = (list: readonly unknown[]) => (list.length > 1 ? "s" : "");
  return `restricted volume types (volume${many(wrong)} ${wrong.map(nameOf).join(", ")} use${wrong.length > 1 ? "" : "s"} restricted volume type${many(types)} ${types.join(", ")})`;
};

export const nonRoot: Check = (spec) => {
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
export const rootUser: Check = (spec) => {
  const wrong = containersOf(spec).filter((container) => security(container)["runAsUser"] === 0);
  const parts = [
    ...(podSecurity(spec)["runAsUser"] === 0 ? ["pod must not set runAsUser=0"] : []),
    ...(wrong.length > 0 ? [`${named(wrong)} must not set runAsUser=0`] : []),
  ];
  return parts.length > 0 ? `runAsUser=0 (${parts.join("; ")})` : undefined;
};
export const restrictedSeccomp: Check = (spec) => {
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
