import { ApiError, forbidden, notFound } from "../model/api-error.ts";
import type { Admission } from "./admission.ts";

const namespaceKind = { group: "", plural: "namespaces", kind: "Namespace" };
const immortal = ["default", "kube-system", "kube-public"];

/** Nothing is made in a namespace that is not there or that is going; some namespaces never go. */
export const namespaceLifecycle: Admission = {
  mutate: (object, { operation, kind, namespace, name }, { store }) => {
    if (operation === "DELETE" && kind.resource === "namespaces" && immortal.includes(name))
      throw forbidden(kind, name, "this namespace may not be deleted");
    if (operation !== "CREATE" || namespace === undefined) return object;
    const found = store.get("namespaces", undefined, namespace);
    if (!found) throw notFound(namespaceKind, namespace);
    if (found.metadata.deletionTimestamp === undefined) return object;
    throw forbidden(
      kind,
      name,
      `unable to create new content in namespace ${namespace} because it is being terminated`,
      [
        {
          reason: "NamespaceTerminating",
          message: `namespace ${namespace} is being terminated`,
          field: "metadata.namespace",
        },
      ],
    );
  },
};

export const isGone = (error: unknown): boolean => error instanceof ApiError && error.code === 404;
