import { isAllowed, rulesFor, type Attempt } from "../access/rbac.ts";
import type { User } from "../access/users.ts";
import type { Tokens } from "../access/tokens.ts";
import { badRequest, notAllowed } from "../model/api-error.ts";
import { asObject, asStrings, isObject, type JsonObject } from "../model/json.ts";
import type { Store } from "../store/store.ts";
import { requiredBody, type ApiRequest, type ApiResponse } from "./api-request.ts";

export type Access = { readonly tokens: Tokens; readonly store: Store };

/** Reviews are asked by POST and kept nowhere: the kinds of the groups `authorization.k8s.io` and `authentication.k8s.io`. */
export const reviewKinds = [
  {
    group: "authorization.k8s.io",
    version: "v1",
    plural: "selfsubjectaccessreviews",
    kind: "SelfSubjectAccessReview",
    namespaced: false,
  },
  {
    group: "authorization.k8s.io",
    version: "v1",
    plural: "selfsubjectrulesreviews",
    kind: "SelfSubjectRulesReview",
    namespaced: false,
  },
  {
    group: "authorization.k8s.io",
    version: "v1",
    plural: "subjectaccessreviews",
    kind: "SubjectAccessReview",
    namespaced: false,
  },
  {
    group: "authorization.k8s.io",
    version: "v1",
    plural: "localsubjectaccessreviews",
    kind: "LocalSubjectAccessReview",
    namespaced: true,
  },
  {
    group: "authentication.k8s.io",
    version: "v1",
    plural: "tokenreviews",
    kind: "TokenReview",
    namespaced: false,
  },
  {
    group: "authentication.k8s.io",
    version: "v1",
    plural: "selfsubjectreviews",
    kind: "SelfSubjectReview",
    namespaced: false,
  },
] as const;

export type ReviewKind = (typeof reviewKinds)[number];

/** The review that a path asks for. */
export const reviewOf = (path: string): ReviewKind | undefined =>
  reviewKinds.find(({ group, version, plural }) =>
    new RegExp(`^/apis/${group}/${version}/(namespaces/[^/]+/)?${plural}$`).test(path),
  );

function attemptIn(spec: JsonObject): Attempt {
  const { nonResourceAttributes, resourceAttributes } = spec;
  if (isObject(nonResourceAttributes))
    return {
      verb: String(nonResourceAttributes["verb"]),
      path: String(nonResourceAttributes["path"]),
      group: "",
      resource: "",
    };
  if (!isObject(resourceAttributes))
    throw badRequest("exactly one of nonResourceAttributes or resourceAttributes must be specified");
  const text = (field: string): string => String(resourceAttributes[field] ?? "");
  return {
    verb: text("verb"),
    group: text("group"),
    resource: text("resource"),
    subresource: text("subresource") || undefined,
    namespace: text("namespace") || undefined,
    name: text("name") || undefined,
  };
}

const userIn = ({ user, groups }: JsonObject): User => ({
  name: String(user ?? ""),
  groups: [...asStrings(groups), "system:authenticated"],
});

function tokenStatus(spec: JsonObject, { tokens }: Access): JsonObject {
  const token = String(spec["token"] ?? "");
  const user = tokens.userOf(token);
  const claims = tokens.claimsOf(token);
  const wanted = asStrings(spec["audiences"]);
  if (!user || (claims && wanted.length > 0 && !wanted.some((one) => claims.aud.includes(one))))
    return { user: {}, error: "[invalid bearer token, token lookup failed]" };
  return {
    authenticated: true,
    user: {
      username: user.name,
      ...(user.uid !== undefined && { uid: user.uid }),
      groups: user.groups,
      ...(claims && { extra: { "authentication.kubernetes.io/credential-id": [`JTI=${claims.jti}`] } }),
    },
    ...(claims && {
      audiences: wanted.length > 0 ? wanted.filter((one) => claims.aud.includes(one)) : claims.aud,
    }),
  };
}

function statusOf(kind: string, spec: JsonObject, user: User, access: Access): JsonObject {
  const { store } = access;
  const verdict = (who: User): JsonObject => ({ allowed: isAllowed(who, attemptIn(spec), store) });
  if (kind === "SelfSubjectAccessReview") return verdict(user);
  if (kind === "SubjectAccessReview" || kind === "LocalSubjectAccessReview") return verdict(userIn(spec));
  if (kind === "TokenReview") return tokenStatus(spec, access);
  if (kind === "SelfSubjectReview") return { userInfo: { username: user.name, groups: user.groups } };
  const rules = user.groups.includes("system:masters")
    ? [
        { verbs: ["*"], apiGroups: ["*"], resources: ["*"] },
        { verbs: ["*"], nonResourceURLs: ["*"] },
      ]
    : rulesFor(user, String(spec["namespace"]), store);
  return {
    resourceRules: rules.filter(({ resources }) => resources !== undefined),
    nonResourceRules: rules.filter(({ nonResourceURLs }) => nonResourceURLs !== undefined),
    incomplete: false,
  };
}

export function serveReview(request: ApiRequest, review: ReviewKind, access: Access): ApiResponse {
  if (request.method !== "POST") throw notAllowed();
  const body = asObject(requiredBody(request));
  const spec = asObject(body["spec"]);
  return {
    status: 201,
    body: {
      kind: review.kind,
      apiVersion: `${review.group}/${review.version}`,
      metadata: {},
      ...(review.kind !== "SelfSubjectReview" && { spec }),
      status: statusOf(review.kind, spec, request.user, access),
    },
  };
}
