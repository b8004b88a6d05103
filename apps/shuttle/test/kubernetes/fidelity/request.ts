/** One request of a chapter. `{ns}` is the chapter's namespace; `{name.uid}`, `{name.rv}`, `{name.continue}` are what the answer to the request `as` name said. */
export type Asking = {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly as?: string;
  /** Only waits: the answer is not compared. */
  readonly isUnshown?: true;
  /** A watch: this many events are read. */
  readonly events?: number;
};

/** Requests in order, in a namespace of their own. */
export type Chapter = {
  readonly title: string;
  /** What the namespace is labelled with. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Cannot be played where no controller manager runs. */
  readonly needsControllers?: true;
  readonly requests: readonly Asking[];
};

const patchType = {
  apply: "application/apply-patch+yaml",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  json: "application/json-patch+json",
} as const;

const groups: Readonly<Record<string, string>> = {
  deployments: "apps/v1",
  replicasets: "apps/v1",
  statefulsets: "apps/v1",
  jobs: "batch/v1",
  cronjobs: "batch/v1",
  horizontalpodautoscalers: "autoscaling/v2",
  poddisruptionbudgets: "policy/v1",
  networkpolicies: "networking.k8s.io/v1",
  roles: "rbac.authorization.k8s.io/v1",
  rolebindings: "rbac.authorization.k8s.io/v1",
  leases: "coordination.k8s.io/v1",
  httproutes: "gateway.networking.k8s.io/v1",
  gateways: "gateway.networking.k8s.io/v1",
};
/** `deployments/web/scale` in the chapter's namespace; what begins with a slash is a path already. */
const pathOf = (path: string): string => {
  if (path.startsWith("/")) return path;
  const group = groups[path.split("/")[0]!];
  return `${group ? `/apis/${group}` : "/api/v1"}/namespaces/{ns}/${path}`;
};

type Own = Omit<Asking, "method" | "path" | "body">;
const asking =
  (method: Asking["method"]) =>
  (path: string, body?: unknown, own: Own = {}): Asking => ({
    method,
    path: pathOf(path),
    ...(body === undefined ? {} : { body }),
    ...own,
  });
export const post = asking("POST");
export const put = asking("PUT");
export const remove = asking("DELETE");
export const get = (path: string, query = "", own: Own = {}): Asking => ({
  method: "GET",
  path: pathOf(path),
  ...(query && { query }),
  ...own,
});
const patching =
  (type: keyof typeof patchType) =>
  (path: string, body: unknown, own: Own = {}): Asking => ({
    method: "PATCH",
    path: pathOf(path),
    body,
    ...own,
    headers: { "content-type": patchType[type], ...own.headers },
  });
export const merge = patching("merge");
export const strategic = patching("strategic");
export const jsonPatch = patching("json");
/** Server-side apply in the name of a manager. */
export const apply = (path: string, body: unknown, manager: string, own: Own = {}): Asking =>
  patching("apply")(path, body, {
    ...own,
    query: `fieldManager=${manager}${own.query ? `&${own.query}` : ""}`,
  });
