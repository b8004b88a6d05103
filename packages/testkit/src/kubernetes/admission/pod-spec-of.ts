import type { Kind } from "../kinds/kind.ts";
import { asObject, at, type JsonObject } from "../model/json.ts";
import type { Stored } from "../model/object.ts";

const templates: Readonly<Record<string, readonly string[]>> = {
  "deployments.apps": ["spec", "template", "spec"],
  "replicasets.apps": ["spec", "template", "spec"],
  "statefulsets.apps": ["spec", "template", "spec"],
  "daemonsets.apps": ["spec", "template", "spec"],
  "jobs.batch": ["spec", "template", "spec"],
  "cronjobs.batch": ["spec", "jobTemplate", "spec", "template", "spec"],
};

/** The spec of the pods that an object makes, or undefined when it makes none. */
export function templateOf(object: Stored, kind: Kind): JsonObject | undefined {
  const path = templates[kind.resource];
  return path && asObject(at(object, ...path));
}
