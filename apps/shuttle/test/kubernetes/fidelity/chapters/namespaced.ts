import { apply, get, merge, post, put, remove, type Asking, type Chapter } from "../request.ts";

type Own = Record<string, unknown>;
const dry = { query: "dryRun=All" };
const object = (apiVersion: string, kind: string) => (name: string, own: Own) => ({
  apiVersion,
  kind,
  metadata: { name },
  ...own,
});

const service = (own: Own = {}, name = "web") =>
  object("v1", "Service")(name, { spec: { selector: { app: "web" }, ports: [{ port: 80 }], ...own } });
const services: readonly Asking[] = [
  ...[
    {},
    { ports: [] },
    { ports: undefined },
    { ports: [{ port: 0 }] },
    { ports: [{ port: 80 }, { port: 81 }] },
    {
      ports: [
        { port: 80, name: "a" },
        { port: 81, name: "a" },
      ],
    },
    {
      ports: [
        { port: 80, name: "a" },
        { port: 80, name: "b" },
      ],
    },
    { ports: [{ port: 80, name: "A_b" }] },
    { ports: [{ port: 80, targetPort: "much-too-long-a-name" }] },
    { ports: [{ port: 80, targetPort: 0 }] },
    { ports: [{ port: 80, protocol: "HTTP" }] },
    { ports: [{ port: 80, appProtocol: "kubernetes.io/h2c" }] },
    { ports: [{ port: 80, appProtocol: "a b" }] },
    { type: "Odd" },
    { type: "ExternalName", externalName: "" },
    { type: "ExternalName", externalName: "a.example.com", clusterIP: "" },
    { clusterIP: "None" },
    { clusterIP: "no ip" },
    { clusterIP: "192.0.2.1" },
    { selector: { "a b": "c" } },
    { sessionAffinity: "Sticky" },
    { externalTrafficPolicy: "Local" },
    { internalTrafficPolicy: "Odd" },
    { ipFamilyPolicy: "Odd" },
    { unheard: 1 },
  ].map((own) => post("services", service(own), dry)),
  post("services", service({}, "1web"), dry),
  post("services", service({}, "w".repeat(64)), dry),
  post("services", service()),
  merge("services/web", { spec: { clusterIP: "10.0.0.5" } }),
  merge("services/web", { spec: { ports: [{ port: 81 }] } }),
  apply("services/web", service({ ports: [{ port: 82, name: "http" }] }), "one"),
  apply("services/web", service({ ports: [{ port: 82, name: "http", targetPort: "http" }] }), "one"),
  put("services/web", service({ clusterIP: "None" })),
  put("services/web", service({ ports: [{ port: 83 }] })),
  get("services/web"),
  remove("services/web"),
];

const claim = (own: Own = {}) =>
  object("v1", "PersistentVolumeClaim")("data", {
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, ...own },
  });
const claims: readonly Asking[] = [
  ...[
    {},
    { accessModes: [] },
    { accessModes: ["ReadSometimes"] },
    { resources: {} },
    { resources: { requests: { storage: "0" } } },
    { resources: { requests: { storage: "-1Gi" } } },
    { resources: { requests: { storage: "many" } } },
    { storageClassName: "A_b" },
    { volumeMode: "Odd" },
  ].map((own) => post("persistentvolumeclaims", claim(own), dry)),
  post("persistentvolumeclaims", claim()),
  merge("persistentvolumeclaims/data", { spec: { accessModes: ["ReadWriteMany"] } }),
  merge("persistentvolumeclaims/data", { spec: { resources: { requests: { storage: "2Gi" } } } }),
  merge("persistentvolumeclaims/data", { spec: { storageClassName: "other" } }),
  apply("persistentvolumeclaims/data", claim(), "one"),
  remove("persistentvolumeclaims/data", undefined, dry),
];

const scaler = (own: Own = {}) =>
  object("autoscaling/v2", "HorizontalPodAutoscaler")("web", {
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
      maxReplicas: 3,
      ...own,
    },
  });
const cpu = (target: Own) => [{ type: "Resource", resource: { name: "cpu", target } }];
const budget = (own: Own) =>
  object("policy/v1", "PodDisruptionBudget")("web", {
    spec: { selector: { matchLabels: { app: "web" } }, ...own },
  });
const policy = (own: Own) =>
  object("networking.k8s.io/v1", "NetworkPolicy")("web", { spec: { podSelector: {}, ...own } });
const around: readonly Asking[] = [
  ...[
    {},
    { minReplicas: 5 },
    { minReplicas: 0 },
    { maxReplicas: 0 },
    { maxReplicas: undefined },
    { metrics: cpu({ type: "Utilization", averageUtilization: 70 }) },
    { metrics: cpu({ type: "Utilization", averageUtilization: 0 }) },
    { metrics: cpu({ type: "Utilization" }) },
    { metrics: cpu({ type: "AverageValue", averageValue: "100m" }) },
    { metrics: cpu({ type: "Odd", averageUtilization: 70 }) },
    { metrics: [{ type: "Resource" }] },
    { metrics: [{ type: "Odd" }] },
    { scaleTargetRef: {} },
    { behavior: { scaleDown: { stabilizationWindowSeconds: 4_000 } } },
    { behavior: { scaleUp: { policies: [{ type: "Pods", value: 0, periodSeconds: 0 }] } } },
  ].map((own) => post("horizontalpodautoscalers", scaler(own), dry)),
  ...[
    { minAvailable: 1 },
    { maxUnavailable: "50%" },
    { minAvailable: 1, maxUnavailable: 1 },
    { minAvailable: -1 },
    { minAvailable: "x%" },
    { maxUnavailable: "101%" },
    {},
    { maxUnavailable: 1, unhealthyPodEvictionPolicy: "Odd" },
  ].map((own) => post("poddisruptionbudgets", budget(own), dry)),
  ...[
    {},
    { policyTypes: ["Ingress", "Egress"] },
    { policyTypes: ["Sideways"] },
    { ingress: [{ ports: [{ port: 0 }] }] },
    { ingress: [{ ports: [{ port: "http", protocol: "TCP" }] }] },
    { ingress: [{ ports: [{ port: 80, endPort: 70 }] }] },
    { ingress: [{ from: [{}] }] },
    { ingress: [{ from: [{ ipBlock: { cidr: "10.0.0.0/8", except: ["10.1.0.0/16"] } }] }] },
    { ingress: [{ from: [{ ipBlock: { cidr: "10.0.0.0" } }] }] },
    { egress: [{ to: [{ ipBlock: { cidr: "10.0.0.0/8", except: ["11.0.0.0/8"] } }] }] },
    { egress: [{ to: [{ ipBlock: { cidr: "10.0.0.0/8" }, podSelector: {} }] }] },
    { podSelector: { matchLabels: { "a b": "c" } } },
  ].map((own) => post("networkpolicies", policy(own), dry)),
];

const role = (rules: unknown) => object("rbac.authorization.k8s.io/v1", "Role")("r", { rules });
const binding = (own: Own = {}) =>
  object("rbac.authorization.k8s.io/v1", "RoleBinding")("b", {
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "r" },
    subjects: [{ kind: "ServiceAccount", name: "app" }],
    ...own,
  });
const quota = (hard: unknown, own: Own = {}) =>
  object("v1", "ResourceQuota")("q", { spec: { hard, ...own } });
const range = (limit: Own) =>
  object("v1", "LimitRange")("l", { spec: { limits: [{ type: "Container", ...limit }] } });
const access: readonly Asking[] = [
  post("roles", role([{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }])),
  post("roles", role([{ apiGroups: [""], resources: ["pods"], verbs: [] }]), dry),
  post("roles", role([{ resources: ["pods"], verbs: ["get"] }]), dry),
  post("roles", role([{ nonResourceURLs: ["/x"], verbs: ["get"] }]), dry),
  post("rolebindings", binding()),
  post("rolebindings", binding({ roleRef: undefined }), dry),
  post("rolebindings", binding({ subjects: [{ kind: "Odd", name: "x" }] }), dry),
  post("rolebindings", binding({ subjects: [{ kind: "User", name: "x" }] }), dry),
  merge("rolebindings/b", { roleRef: { name: "other" } }),
  post("serviceaccounts", object("v1", "ServiceAccount")("app", { automountServiceAccountToken: false })),
  post("serviceaccounts", object("v1", "ServiceAccount")("A_b", {}), dry),
  post("serviceaccounts/none/token", {
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenRequest",
    spec: {},
  }),
  post("serviceaccounts/app/token", {
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenRequest",
    spec: { expirationSeconds: 5 },
  }),
  ...[
    { cpu: "4", "limits.memory": "1Gi", pods: 3, "count/configmaps": "5" },
    { cpu: "-1" },
    { cpu: "many" },
    { unheard: "1" },
    { pods: "1.5" },
    { "a b/c": "1" },
    undefined,
  ].map((hard) => post("resourcequotas", quota(hard), dry)),
  post("resourcequotas", quota({ pods: 1 }, { scopes: ["Odd"] }), dry),
  post("resourcequotas", quota({ "requests.storage": 1 }, { scopes: ["BestEffort"] }), dry),
  ...[
    { default: { cpu: "1" }, defaultRequest: { cpu: "100m" } },
    { default: { cpu: "1" }, defaultRequest: { cpu: "2" } },
    { min: { cpu: "2" }, max: { cpu: "1" } },
    { max: { cpu: "1" }, default: { cpu: "2" } },
    { maxLimitRequestRatio: { cpu: "0.5" } },
    { type: "Pod", default: { cpu: "1" } },
    { type: "PersistentVolumeClaim" },
    { type: "Odd" },
  ].map((limit) => post("limitranges", range(limit), dry)),
  post(
    "leases",
    object("coordination.k8s.io/v1", "Lease")("l", {
      spec: { holderIdentity: "a", leaseDurationSeconds: 5 },
    }),
  ),
  post(
    "leases",
    object("coordination.k8s.io/v1", "Lease")("m", {
      spec: { leaseDurationSeconds: 0, leaseTransitions: -1 },
    }),
  ),
  post(
    "leases",
    object("coordination.k8s.io/v1", "Lease")("m", { spec: { renewTime: "2026-01-01T00:00:00Z" } }),
    dry,
  ),
  post("leases", object("coordination.k8s.io/v1", "Lease")("m", { spec: { renewTime: "today" } }), dry),
  merge("leases/l", { spec: { renewTime: "2026-01-01T00:00:00.123456Z", holderIdentity: "b" } }),
  post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SelfSubjectAccessReview",
    spec: { resourceAttributes: { namespace: "{ns}", verb: "get", resource: "pods" } },
  }),
  post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SelfSubjectAccessReview",
    spec: {},
  }),
  post("/apis/authorization.k8s.io/v1/subjectaccessreviews", {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SubjectAccessReview",
    spec: {
      user: "system:serviceaccount:{ns}:app",
      resourceAttributes: { namespace: "{ns}", verb: "get", resource: "pods" },
    },
  }),
];

const spaces: readonly Asking[] = [
  get("/api/v1/namespaces/{ns}"),
  post("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: "A_b" } }),
  post("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: "n".repeat(64) } }),
  post("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: "a.b" } }),
  post(
    "/api/v1/namespaces",
    {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: "x", labels: { "kubernetes.io/metadata.name": "y" } },
    },
    dry,
  ),
  post(
    "/api/v1/namespaces",
    {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: "x", labels: { "pod-security.kubernetes.io/enforce": "loose" } },
    },
    dry,
  ),
  merge("/api/v1/namespaces/{ns}", { metadata: { labels: { "kubernetes.io/metadata.name": "y" } } }),
  merge("/api/v1/namespaces/{ns}", {
    metadata: { labels: { "pod-security.kubernetes.io/enforce-version": "v0" } },
  }),
  merge("/api/v1/namespaces/{ns}", { spec: { finalizers: [] } }),
  remove("/api/v1/namespaces/default"),
  remove("/api/v1/namespaces/kube-system", undefined, dry),
  remove("/api/v1/namespaces"),
];

export const namespacedChapters: readonly Chapter[] = [
  { title: "Services", requests: services },
  { title: "volume claims", requests: claims },
  { title: "autoscalers, budgets, network policies", requests: around },
  { title: "roles, quotas, limits, leases", requests: access },
  { title: "namespaces", requests: spaces },
];
