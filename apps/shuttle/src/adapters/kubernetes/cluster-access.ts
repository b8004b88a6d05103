/**
 * Every right that Shuttle has in a cluster, with its reason. The roles in deploy/cluster/shuttle are written from this table
 * (scripts/cluster-role.ts), `starform cluster doctor` asks the API server for each, and a test holds it against what the
 * manifest makers make, another against every call that Shuttle makes: what is not listed is refused by the cluster, and
 * what is never called is not listed.
 */
export type AccessRule = {
  readonly group: string;
  readonly resources: readonly string[];
  readonly verbs: readonly Verb[];
  /** `cluster`: in every namespace. `own`: where Shuttle runs. `gateway`: where the shared Gateway is. */
  readonly where: "cluster" | "own" | "gateway";
  readonly why: string;
};
export type Verb = "get" | "list" | "watch" | "create" | "patch" | "delete";

/** Server-side apply is a patch, and a creation where there is nothing; who changed something by hand is asked by a get. */
const kept = ["get", "list", "watch", "create", "patch"] as const satisfies readonly Verb[];
/** What is also taken away when it left desired state. */
const owned = [...kept, "delete"] as const satisfies readonly Verb[];
const seen = ["list", "watch"] as const satisfies readonly Verb[];

export const clusterAccess: readonly AccessRule[] = [
  {
    group: "",
    resources: ["namespaces", "serviceaccounts", "resourcequotas", "limitranges", "services", "configmaps"],
    verbs: owned,
    where: "cluster",
    why: "what a project and its services consist of",
  },
  {
    group: "",
    resources: ["persistentvolumeclaims"],
    verbs: kept,
    where: "cluster",
    why: "volumes; what is in them is the customer's, and Shuttle cannot delete one",
  },
  {
    group: "",
    resources: ["secrets"],
    verbs: owned,
    where: "cluster",
    why: "var groups; read as metadata only, which RBAC cannot tell from reading them",
  },
  {
    group: "apps",
    resources: ["deployments"],
    verbs: owned,
    where: "cluster",
    why: "web and worker services",
  },
  { group: "batch", resources: ["cronjobs"], verbs: owned, where: "cluster", why: "cron services" },
  {
    group: "autoscaling",
    resources: ["horizontalpodautoscalers"],
    verbs: owned,
    where: "cluster",
    why: "services that scale by themselves",
  },
  {
    group: "policy",
    resources: ["poddisruptionbudgets"],
    verbs: owned,
    where: "cluster",
    why: "services that outlive the emptying of a node",
  },
  {
    group: "networking.k8s.io",
    resources: ["networkpolicies"],
    verbs: owned,
    where: "cluster",
    why: "the walls between environments",
  },
  {
    group: "rbac.authorization.k8s.io",
    resources: ["roles", "rolebindings"],
    verbs: owned,
    where: "cluster",
    why: "the apps' own Role, which is empty: a Role with rights that Shuttle lacks would be refused as escalation",
  },
  {
    group: "gateway.networking.k8s.io",
    resources: ["httproutes"],
    verbs: owned,
    where: "cluster",
    why: "the addresses of services",
  },
  {
    group: "gateway.networking.k8s.io",
    resources: ["gateways"],
    verbs: kept,
    where: "gateway",
    why: "the shared Gateway",
  },
  {
    group: "gateway.envoyproxy.io",
    resources: ["envoyproxies", "clienttrafficpolicies", "backendtrafficpolicies"],
    verbs: kept,
    where: "gateway",
    why: "how its proxies and their load balancer are",
  },
  {
    group: "",
    resources: ["pods", "events"],
    verbs: seen,
    where: "cluster",
    why: "what runs, is billed, and why it does not run",
  },
  {
    group: "apps",
    resources: ["replicasets"],
    verbs: seen,
    where: "cluster",
    why: "how far a rollout is, and what refused its pods",
  },
  {
    group: "apps",
    resources: ["statefulsets", "daemonsets"],
    verbs: ["list"],
    where: "cluster",
    why: "whether a namespace holds something of somebody else before it is removed",
  },
  {
    group: "metrics.k8s.io",
    resources: ["pods"],
    verbs: ["list"],
    where: "cluster",
    why: "what each instance uses",
  },
  {
    group: "batch",
    resources: ["jobs"],
    verbs: ["list", "watch", "patch"],
    where: "cluster",
    why: "the runs of cron services; one that an older version cannot begin is ended",
  },
  { group: "", resources: ["nodes"], verbs: seen, where: "cluster", why: "how much room there is" },
  {
    group: "coordination.k8s.io",
    resources: ["leases"],
    verbs: ["get", "create", "patch"],
    where: "own",
    why: "of several, one leads",
  },
];
