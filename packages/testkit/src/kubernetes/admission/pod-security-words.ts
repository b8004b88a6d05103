import { containersOf } from "../kinds/pod-defaults.ts";
import { asObject, asStrings, at, type JsonObject } from "../model/json.ts";

export type Check = (spec: JsonObject) => string | undefined;

export const nameOf = ({ name }: JsonObject): string => JSON.stringify(name);
/** `container "a"` or `containers "a", "b"`. */
export const named = (containers: readonly JsonObject[]): string =>
  `container${containers.length > 1 ? "s" : ""} ${containers.map(nameOf).join(", ")}`;
export const security = (container: JsonObject): JsonObject => asObject(container["securityContext"]);
export const podSecurity = (spec: JsonObject): JsonObject => asObject(spec["securityContext"]);

/** A check of containers one by one: which of them are wrong, and what to say of them. */
export const containers =
  (isWrong: (container: JsonObject) => boolean, text: (wrong: readonly JsonObject[]) => string): Check =>
  (spec) => {
    const wrong = containersOf(spec).filter(isWrong);
    return wrong.length > 0 ? text(wrong) : undefined;
  };

export const defaultCapabilities = [
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
export const dropped = (container: JsonObject): readonly string[] =>
  asStrings(at(security(container), "capabilities", "drop"));
export const adding = (allowed: readonly string[]) => (container: JsonObject) =>
  added(container).some((one) => !allowed.includes(one));
export const addedText = (wrong: readonly JsonObject[], allowed: readonly string[]): string => {
  const names = [...new Set(wrong.flatMap(added).filter((one) => !allowed.includes(one)))].sort();
  return `${named(wrong)} must not include ${names.map((one) => JSON.stringify(one)).join(", ")} in securityContext.capabilities.add`;
};
