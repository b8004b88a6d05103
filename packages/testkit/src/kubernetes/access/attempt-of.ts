import type { ApiRequest } from "../http/api-request.ts";
import type { Route } from "../http/route.ts";
import { ApiError } from "../model/api-error.ts";
import type { Attempt } from "./rbac.ts";
import type { User } from "./users.ts";

const writes: Readonly<Record<string, string>> = { POST: "create", PUT: "update", PATCH: "patch" };
const isOn = (value: string | null): boolean => value === "true" || value === "1";

/** What a request attempts, in the words of RBAC. */
export function attemptOf({ method, path, query }: ApiRequest, route: Route): Attempt {
  if (route.type !== "resource")
    return besideAttempt(method, path) ?? { verb: method.toLowerCase(), group: "", resource: "", path };
  const { kind, namespace, name, subresource } = route;
  const reading = name === "" ? (isOn(query.get("watch")) ? "watch" : "list") : "get";
  const deleting = name === "" ? "deletecollection" : "delete";
  const verb =
    method === "GET" ? reading : method === "DELETE" ? deleting : (writes[method] ?? method.toLowerCase());
  // A namespace itself counts as lying within itself.
  const within = kind.resource === "namespaces" && name ? name : namespace;
  return {
    verb,
    group: kind.group,
    resource: kind.plural,
    subresource,
    namespace: within,
    name: name || undefined,
  };
}

const beside =
  /^\/apis\/((?:authorization|authentication|metrics)\.k8s\.io)\/[^/]+\/(?:namespaces\/([^/]+)\/)?([^/]+)(?:\/([^/]+))?$/;

/** Reviews and metrics are kept nowhere, and are resources to RBAC all the same. */
function besideAttempt(method: string, path: string): Attempt | undefined {
  const [, group, namespace, resource, name] = beside.exec(path) ?? [];
  if (group === undefined || resource === undefined) return undefined;
  const verb =
    method === "GET" ? (name === undefined ? "list" : "get") : (writes[method] ?? method.toLowerCase());
  return { verb, group, resource, namespace, name };
}

export function forbiddenTo(user: User, attempt: Attempt): ApiError {
  const { verb, group, resource, subresource, namespace, name, path } = attempt;
  if (path !== undefined)
    return new ApiError(403, {
      reason: "Forbidden",
      message: `forbidden: User ${JSON.stringify(user.name)} cannot ${verb} path ${JSON.stringify(path)}`,
      details: {},
    });
  const full = subresource === undefined ? resource : `${resource}/${subresource}`;
  const qualified = group ? `${resource}.${group}` : resource;
  const what = name ? `${qualified} ${JSON.stringify(name)}` : qualified;
  const where =
    namespace === undefined ? "at the cluster scope" : `in the namespace ${JSON.stringify(namespace)}`;
  return new ApiError(403, {
    reason: "Forbidden",
    message: `${what} is forbidden: User ${JSON.stringify(user.name)} cannot ${verb} resource ${JSON.stringify(full)} in API group ${JSON.stringify(group)} ${where}`,
    details: { ...(name && { name }), ...(group && { group }), kind: resource },
  });
}
