import type { Store } from "../store/store.ts";
import { asObject, asObjects, asStrings, type JsonObject } from "../model/json.ts";
import type { Stored } from "../model/object.ts";
import type { User } from "./users.ts";

/** What somebody wants to do: with a resource, or with a path that is none. */
export type Attempt = {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string | undefined;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly path?: string | undefined;
};

const roleGroup = "rbac.authorization.k8s.io";

const includes = (list: readonly string[], wanted: string): boolean =>
  list.includes("*") || list.includes(wanted);

/** Whether one rule of a role allows the attempt. */
export function allows(
  rule: JsonObject,
  { verb, group, resource, subresource, name, path }: Attempt,
): boolean {
  if (!includes(asStrings(rule["verbs"]), verb)) return false;
  if (path !== undefined)
    return asStrings(rule["nonResourceURLs"]).some(
      (url) => url === path || (url.endsWith("*") && path.startsWith(url.slice(0, -1))),
    );
  const names = asStrings(rule["resourceNames"]);
  const resources = asStrings(rule["resources"]);
  const isResource =
    subresource === undefined
      ? includes(resources, resource)
      : resources.some(
          (one) => one === "*" || one === `${resource}/${subresource}` || one === `*/${subresource}`,
        );
  return (
    includes(asStrings(rule["apiGroups"]), group) &&
    isResource &&
    (names.length === 0 || names.includes(name ?? ""))
  );
}

function isSubject(subject: JsonObject, { name, groups }: User, namespace: string | undefined): boolean {
  if (subject["kind"] === "User") return subject["name"] === name;
  if (subject["kind"] === "Group") return groups.includes(String(subject["name"]));
  return (
    name === `system:serviceaccount:${String(subject["namespace"] ?? namespace)}:${String(subject["name"])}`
  );
}

function rulesOf(binding: Stored, store: Store): readonly JsonObject[] {
  const { kind, name } = asObject(binding["roleRef"]);
  const isCluster = kind === "ClusterRole";
  const role = store.get(
    `${isCluster ? "clusterroles" : "roles"}.${roleGroup}`,
    isCluster ? undefined : binding.metadata.namespace,
    String(name),
  );
  return asObjects(role?.["rules"]);
}

/** Discovery, health and the questions about oneself are open to everybody who is known. */
const open: readonly JsonObject[] = [
  {
    verbs: ["get"],
    nonResourceURLs: [
      "/api",
      "/api/*",
      "/apis",
      "/apis/*",
      "/healthz",
      "/livez",
      "/readyz",
      "/openapi",
      "/openapi/*",
      "/version",
      "/version/",
    ],
  },
  {
    verbs: ["create"],
    apiGroups: ["authorization.k8s.io"],
    resources: ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
  },
  { verbs: ["create"], apiGroups: ["authentication.k8s.io"], resources: ["selfsubjectreviews"] },
];

/** Every rule that holds for the user in the namespace, or in the whole cluster. */
export function rulesFor(user: User, namespace: string | undefined, store: Store): readonly JsonObject[] {
  const bindings = [
    ...store.list(`clusterrolebindings.${roleGroup}`),
    ...(namespace === undefined ? [] : store.list(`rolebindings.${roleGroup}`, namespace)),
  ];
  const bound = bindings.filter((binding) =>
    asObjects(binding["subjects"]).some((subject) => isSubject(subject, user, binding.metadata.namespace)),
  );
  return [
    ...(user.groups.includes("system:authenticated") ? open : []),
    ...bound.flatMap((binding) => rulesOf(binding, store)),
  ];
}

export function isAllowed(user: User, attempt: Attempt, store: Store): boolean {
  if (user.groups.includes("system:masters")) return true;
  return rulesFor(user, attempt.namespace, store).some((rule) => allows(rule, attempt));
}
