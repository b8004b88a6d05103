import { invalid, required } from "../model/field-error.ts";
import { asObject, asObjects, equal, put, withDefaults, type JsonObject } from "../model/json.ts";
import { withMeta, type Stored } from "../model/object.ts";
import { inSpec, specOf } from "./in-spec.ts";
import type { Strategy } from "./kind.ts";
import { within, withinEach } from "./pod-defaults.ts";

const scalingRules = (rules: JsonObject, isUp: boolean): JsonObject =>
  withDefaults(rules, {
    ...(isUp && { stabilizationWindowSeconds: 0 }),
    selectPolicy: "Max",
    policies: [
      ...(isUp ? [{ type: "Pods", value: 4, periodSeconds: 15 }] : []),
      { type: "Percent", value: 100, periodSeconds: 15 },
    ],
  });

export const autoscalers: Strategy = {
  defaults: (object) =>
    inSpec(object, (spec) =>
      within(
        withDefaults(spec, {
          minReplicas: 1,
          metrics: [
            {
              type: "Resource",
              resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } },
            },
          ],
        }),
        "behavior",
        (behavior) => ({
          scaleUp: scalingRules(asObject(behavior["scaleUp"]), true),
          scaleDown: scalingRules(asObject(behavior["scaleDown"]), false),
        }),
      ),
    ),
  onCreate: (object) => ({ ...object, status: { desiredReplicas: 0, currentMetrics: null } as JsonObject }),
  validate: (object) => {
    const { minReplicas, maxReplicas } = specOf(object);
    if (maxReplicas === undefined) return [required("spec.maxReplicas")];
    if (!(Number(maxReplicas) >= 1))
      return [invalid("spec.maxReplicas", maxReplicas, "must be greater than 0")];
    return Number(maxReplicas) < Number(minReplicas)
      ? [invalid("spec.maxReplicas", maxReplicas, "must be greater than or equal to `minReplicas`")]
      : [];
  },
};

export const networkPolicies: Strategy = {
  defaults: (object) =>
    inSpec(object, (spec) => {
      const protocols = (rule: JsonObject) =>
        withinEach(rule, "ports", (port) => withDefaults(port, { protocol: "TCP" }));
      const rules = withinEach(withinEach(spec, "ingress", protocols), "egress", protocols);
      return withDefaults(rules, {
        podSelector: {},
        policyTypes: ["Ingress", ...(asObjects(rules["egress"]).length > 0 ? ["Egress"] : [])],
      });
    }),
};

export const disruptionBudgets: Strategy = {
  onCreate: (object) => ({
    ...object,
    status: { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 },
  }),
  validate: (object) => {
    const { minAvailable, maxUnavailable } = specOf(object);
    return minAvailable !== undefined && maxUnavailable !== undefined
      ? [invalid("spec", specOf(object), "minAvailable and maxUnavailable cannot be both set")]
      : [];
  },
};

/** Holds a deleted claim until no pod uses it. */
export const claimFinalizer = "kubernetes.io/pvc-protection";

export const volumeClaims: Strategy = {
  defaults: (object) => inSpec(object, (spec) => withDefaults(spec, { volumeMode: "Filesystem" })),
  validate: (object) => {
    const { accessModes, resources } = specOf(object);
    const storage = asObject(asObject(resources)["requests"])["storage"];
    return [
      ...(Array.isArray(accessModes) && accessModes.length > 0
        ? []
        : [required("spec.accessModes", "at least 1 access mode is required")]),
      ...(storage === undefined ? [required("spec.resources[storage]")] : []),
    ];
  },
  onCreate: (object) => ({
    ...withMeta(object, {
      finalizers: [...new Set([...(object.metadata.finalizers ?? []), claimFinalizer])],
    }),
    status: { phase: "Pending" },
  }),
  validateUpdate: (object, old) => {
    const frozen = (one: Stored) =>
      put(put(specOf(one), ["resources"], undefined), ["volumeName"], undefined);
    return equal(frozen(object), frozen(old))
      ? []
      : [
          {
            reason: "FieldValueForbidden",
            message:
              "Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims",
            field: "spec",
          },
        ];
  },
};

export const quotas: Strategy = { onCreate: (object) => ({ ...object, status: {} }) };

export const limitRanges: Strategy = {
  defaults: (object) =>
    inSpec(object, (spec) =>
      withinEach(spec, "limits", (limit) => {
        if (limit["type"] !== "Container") return limit;
        const [max, standard] = [limit["max"], limit["default"]];
        const limits = { ...asObject(max), ...asObject(standard) };
        const requests = { ...asObject(limit["min"]), ...limits, ...asObject(limit["defaultRequest"]) };
        return {
          ...limit,
          ...(Object.keys(limits).length > 0 && { default: limits }),
          ...(Object.keys(requests).length > 0 && { defaultRequest: requests }),
        };
      }),
    ),
};
