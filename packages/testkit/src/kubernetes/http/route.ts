import type { Kind } from "../kinds/kind.ts";
import type { Registry } from "../kinds/registry.ts";

/** What a path of the API means. */
export type Route =
  | {
      readonly type: "resource";
      readonly kind: Kind;
      readonly namespace: string | undefined;
      readonly name: string;
      readonly subresource: string | undefined;
    }
  /** The group and version are served, this resource of theirs is not. */
  | { readonly type: "unknown resource" }
  | { readonly type: "other" };

const decode = (step: string): string => decodeURIComponent(step);

export function routeOf(pathname: string, registry: Registry): Route {
  const steps = pathname.split("/").filter(Boolean).map(decode);
  const [root, ...rest] = steps;
  if (root !== "api" && root !== "apis") return { type: "other" };
  const [group = "", version = "", ...path] = root === "api" ? ["", ...rest] : rest;
  if (path.length === 0 || !registry.hasGroupVersion(group, version)) return { type: "other" };
  const isWithin =
    path[0] === "namespaces" && path.length > 2 && !["status", "finalize"].includes(path[2] ?? "");
  const namespace = isWithin ? path[1] : undefined;
  const [plural = "", name = "", subresource] = isWithin ? path.slice(2) : path;
  const kind = registry.byPlural(group, version, plural);
  if (!kind || (isWithin && !kind.namespaced)) return { type: "unknown resource" };
  return { type: "resource", kind, namespace, name, subresource };
}
