import type { Check } from "../examination.ts";
import { findingsOf } from "./finding.ts";

const { ok, warning } = findingsOf("storage");

/** Whether volumes can be had without naming a class. */
export const checkStorage: Check = async ({ facts }) => [
  facts.defaultStorageClass
    ? ok(`volumes come from the class ${facts.defaultStorageClass}`)
    : warning(
        "there is no default storage class: services with volumes stay pending, and Shuttle keeps its snapshots in its pod",
        "mark one: kubectl annotate storageclass <name> storageclass.kubernetes.io/is-default-class=true, then bootstrap again",
      ),
];
