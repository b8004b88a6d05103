import type { Call, FieldValidation } from "../verbs/call.ts";
import type { ApiRequest } from "./api-request.ts";
import { checkWriteOptions } from "./check-options.ts";
import type { Route } from "./route.ts";

type ResourceRoute = Route & { readonly type: "resource" };

/** The call that a request on a resource makes. */
export function callOf(request: ApiRequest, route: ResourceRoute, warn: (text: string) => void): Call {
  const { query, method } = request;
  const validation = query.get("fieldValidation") || "Warn";
  checkWriteOptions(request);
  const isApply = request.contentType.startsWith("application/apply-patch");
  // An apply must name its manager; any other write is known by its program's name.
  const program = request.userAgent.split("/")[0] ?? "";
  return {
    kind: route.kind,
    namespace: route.namespace,
    name: route.name,
    subresource: route.subresource,
    user: request.user.name,
    fieldManager: query.get("fieldManager") ?? (isApply && method === "PATCH" ? "" : program || "unknown"),
    fieldValidation: validation as FieldValidation,
    dryRun: query.getAll("dryRun").includes("All"),
    warn,
  };
}
