import { immutable, invalid, forbiddenField, required, type FieldError } from "../model/field-error.ts";
import { asMap, asObject, equal, omit, withDefaults, type Json, type JsonObject } from "../model/json.ts";
import type { Stored } from "../model/object.ts";
import { matchesSelector } from "../model/label-selector.ts";
import { inSpec, specOf } from "./in-spec.ts";
import type { Strategy } from "./kind.ts";
import { templateDefaults } from "./pod-defaults.ts";
import { validatePodSpec } from "./pod-validation.ts";

const atLeastZero = (spec: JsonObject, ...fields: readonly string[]): readonly FieldError[] =>
  fields.flatMap((field) => {
    const value = spec[field];
    return typeof value === "number" && value < 0
      ? [invalid(`spec.${field}`, value, "must be greater than or equal to 0")]
      : [];
  });

/** The selector must be there, and the template's labels must fit it. */
function selectorErrors(spec: JsonObject): readonly FieldError[] {
  const labels = asMap(asObject(asObject(spec["template"])["metadata"])["labels"]);
  const selector = asObject(spec["selector"]);
  if (Object.keys(selector).length === 0)
    return [
      required("spec.selector"),
      invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`"),
    ];
  return matchesSelector(selector, labels)
    ? []
    : [invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")];
}

const workloadErrors = (object: Stored): readonly FieldError[] => {
  const spec = specOf(object);
  const podSpec = asObject(asObject(spec["template"])["spec"]);
  const policy = podSpec["restartPolicy"];
  return [
    ...atLeastZero(spec, "replicas", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"),
    ...selectorErrors(spec),
    ...validatePodSpec(podSpec, "spec.template.spec"),
    ...(policy !== undefined && policy !== "Always"
      ? [
          {
            reason: "FieldValueNotSupported",
            message: `Unsupported value: ${JSON.stringify(policy)}: supported values: "Always"`,
            field: "spec.template.spec.restartPolicy",
          },
        ]
      : []),
  ];
};

const selectorKept = (object: Stored, old: Stored): readonly FieldError[] => {
  const selector = specOf(object)["selector"];
  return equal(selector, specOf(old)["selector"]) ? [] : [immutable("spec.selector", selector)];
};

const deploymentStrategy = (strategy: Json | undefined): JsonObject => {
  const given = withDefaults(asObject(strategy), { type: "RollingUpdate" });
  if (given["type"] !== "RollingUpdate") return given;
  const rolling = withDefaults(asObject(given["rollingUpdate"]), { maxUnavailable: "25%", maxSurge: "25%" });
  return { ...given, rollingUpdate: rolling };
};

const recreateErrors = (object: Stored): readonly FieldError[] => {
  const strategy = asObject(specOf(object)["strategy"]);
  return strategy["type"] === "Recreate" && strategy["rollingUpdate"] !== undefined
    ? [
        forbiddenField(
          "spec.strategy.rollingUpdate",
          "may not be specified when strategy `type` is 'Recreate'",
        ),
      ]
    : [];
};

export const deployments: Strategy = {
  defaults: (object) =>
    inSpec(object, (spec) => ({
      ...templateDefaults(
        withDefaults(spec, { replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600 }),
      ),
      strategy: deploymentStrategy(spec["strategy"]),
    })),
  validate: (object) => [...workloadErrors(object), ...recreateErrors(object)],
  validateUpdate: selectorKept,
};

export const replicaSets: Strategy = {
  defaults: (object) => inSpec(object, (spec) => templateDefaults(withDefaults(spec, { replicas: 1 }))),
  onCreate: (object) => ({ ...object, status: { replicas: 0 } }),
  validate: workloadErrors,
  validateUpdate: selectorKept,
};

export const daemonSets: Strategy = {
  defaults: (object) =>
    inSpec(object, (spec) =>
      templateDefaults(
        withDefaults(spec, {
          revisionHistoryLimit: 10,
          updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
        }),
      ),
    ),
  onCreate: (object) => ({
    ...object,
    status: { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 },
  }),
  validate: workloadErrors,
  validateUpdate: selectorKept,
};

const statefulSetMutable = [
  "replicas",
  "ordinals",
  "template",
  "updateStrategy",
  "revisionHistoryLimit",
  "persistentVolumeClaimRetentionPolicy",
  "minReadySeconds",
];

export const statefulSets: Strategy = {
  defaults: (object) =>
    inSpec(object, (spec) =>
      templateDefaults(
        withDefaults(spec, {
          replicas: 1,
          revisionHistoryLimit: 10,
          podManagementPolicy: "OrderedReady",
          updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 0 } },
          persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
        }),
      ),
    ),
  onCreate: (object) => ({ ...object, status: { replicas: 0, availableReplicas: 0 } }),
  validate: workloadErrors,
  validateUpdate: (object, old) =>
    equal(omit(specOf(object), ...statefulSetMutable), omit(specOf(old), ...statefulSetMutable))
      ? []
      : [
          forbiddenField(
            "spec",
            "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
          ),
        ],
};
