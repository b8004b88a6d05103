import { immutable, invalid, notSupported, required, type FieldError } from "../model/field-error.ts";
import { asObject, asMap, equal, put, withDefaults, type JsonObject } from "../model/json.ts";
import type { Stored } from "../model/object.ts";
import { inSpec, specOf } from "./in-spec.ts";
import type { Strategy } from "./kind.ts";
import { templateDefaults, within } from "./pod-defaults.ts";
import { validatePodSpec } from "./pod-validation.ts";
import { cronProblem } from "../model/cron.ts";

const jobSpecDefaults = (spec: JsonObject): JsonObject => {
  const isSingle = spec["completions"] === undefined && spec["parallelism"] === undefined;
  return templateDefaults(
    withDefaults(spec, {
      ...(isSingle && { completions: 1 }),
      parallelism: 1,
      backoffLimit: spec["backoffLimitPerIndex"] === undefined ? 6 : 2_147_483_647,
      completionMode: "NonIndexed",
      suspend: false,
      podReplacementPolicy: spec["podFailurePolicy"] === undefined ? "TerminatingOrFailed" : "Failed",
    }),
  );
};

function jobSpecErrors(spec: JsonObject, path: string): readonly FieldError[] {
  const podSpec = asObject(asObject(spec["template"])["spec"]);
  const policy = podSpec["restartPolicy"] ?? "";
  return [
    ...validatePodSpec(podSpec, `${path}.template.spec`),
    ...(policy === "OnFailure" || policy === "Never"
      ? []
      : [
          policy === "Always" || policy === ""
            ? required(`${path}.template.spec.restartPolicy`, 'valid values: "OnFailure", "Never"')
            : notSupported(`${path}.template.spec.restartPolicy`, policy, ["OnFailure", "Never"]),
        ]),
  ];
}

/** A job's pods are told from others by its uid. */
const jobLabels = (object: Stored): Stored => {
  const spec = specOf(object);
  if (spec["manualSelector"] === true) return object;
  const uid = object.metadata.uid ?? "";
  const labels = {
    "controller-uid": uid,
    "job-name": object.metadata.name,
    "batch.kubernetes.io/controller-uid": uid,
    "batch.kubernetes.io/job-name": object.metadata.name,
  };
  const own = asMap(asObject(asObject(spec["template"])["metadata"])["labels"]);
  return inSpec(object, (before) => ({
    ...put(before, ["template", "metadata", "labels"], { ...own, ...labels }),
    selector: { matchLabels: { "batch.kubernetes.io/controller-uid": uid } },
  }));
};

export const jobs: Strategy = {
  defaults: (object) => inSpec(object, jobSpecDefaults),
  onCreate: (object) => ({ ...jobLabels(object), status: {} }),
  validate: (object) => jobSpecErrors(specOf(object), "spec"),
  validateUpdate: (object, old) =>
    ["completions", "selector", "template", "completionMode", "backoffLimitPerIndex"].flatMap((field) =>
      equal(specOf(object)[field], specOf(old)[field])
        ? []
        : [immutable(`spec.${field}`, specOf(object)[field])],
    ),
};

export const cronJobs: Strategy = {
  defaults: (object) =>
    inSpec(object, (spec) =>
      within(
        withDefaults(spec, {
          concurrencyPolicy: "Allow",
          suspend: false,
          successfulJobsHistoryLimit: 3,
          failedJobsHistoryLimit: 1,
        }),
        "jobTemplate",
        (template) => within(template, "spec", (inner) => templateDefaults(inner)),
      ),
    ),
  validate: (object) => {
    const spec = specOf(object);
    const schedule = spec["schedule"];
    const problem = typeof schedule === "string" && schedule ? cronProblem(schedule) : undefined;
    return [
      ...(object.metadata.name.length > 52
        ? [invalid("metadata.name", object.metadata.name, "must be no more than 52 characters")]
        : []),
      ...(schedule ? [] : [required("spec.schedule")]),
      ...(problem ? [invalid("spec.schedule", schedule, problem)] : []),
      ...jobSpecErrors(asObject(asObject(spec["jobTemplate"])["spec"]), "spec.jobTemplate.spec"),
    ];
  },
};
