import { immutable, required } from "../model/field-error.ts";
import { equal, isObject, put, withDefaults } from "../model/json.ts";
import type { Stored } from "../model/object.ts";
import { specOf, statusOf } from "./in-spec.ts";
import type { Strategy } from "./kind.ts";
import { within, withinEach } from "./pod-defaults.ts";

const labelled = (object: Stored): Stored =>
  put(object, ["metadata", "labels", "kubernetes.io/metadata.name"], object.metadata.name);

export const namespaces: Strategy = {
  defaults: (object) => (object.metadata.name ? labelled(object) : object),
  onCreate: (object) => ({
    ...labelled(object),
    spec: { finalizers: ["kubernetes"] },
    status: { phase: "Active" },
  }),
  onUpdate: (object, old) => ({ ...labelled(object), spec: specOf(old), status: statusOf(old) }),
};

const rbacGroup = "rbac.authorization.k8s.io";
export const roleBindings: Strategy = {
  defaults: (object) => {
    const ref = within(object, "roleRef", (inner) => withDefaults(inner, { apiGroup: rbacGroup }));
    return withinEach(ref, "subjects", (subject) =>
      subject["kind"] === "ServiceAccount" ? subject : withDefaults(subject, { apiGroup: rbacGroup }),
    ) as Stored;
  },
  validate: (object) => (isObject(object["roleRef"]) ? [] : [required("roleRef.name")]),
  validateUpdate: (object, old) =>
    equal(object["roleRef"], old["roleRef"])
      ? []
      : [
          {
            ...immutable("roleRef", object["roleRef"]),
            message: `Invalid value: ${JSON.stringify(object["roleRef"])}: cannot change roleRef`,
          },
        ],
};
export const roles: Strategy = {
  defaults: (object) => (object["rules"] === undefined ? { ...object, rules: [] } : object),
};

export const endpointSlices: Strategy = {
  defaults: (object) =>
    withinEach(withDefaults(object, { endpoints: [] }), "ports", (port) =>
      withDefaults(port, { name: "", protocol: "TCP" }),
    ) as Stored,
};

export const storageClasses: Strategy = {
  defaults: (object) => withDefaults(object, { reclaimPolicy: "Delete", volumeBindingMode: "Immediate" }),
};
export const priorityClasses: Strategy = {
  defaults: (object) => withDefaults(object, { preemptionPolicy: "PreemptLowerPriority" }),
};
