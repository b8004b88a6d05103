import { get, merge, post, remove, type Asking, type Chapter } from "../request.ts";

type Own = Record<string, unknown>;
const dry = { query: "dryRun=All" };
const pod = (own: Own = {}, container: Own = {}, metadata: Own = {}) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "p", ...metadata },
  spec: {
    // As if there was no controller that makes the default account.
    serviceAccountName: "app",
    automountServiceAccountToken: false,
    containers: [{ name: "main", image: "registry.example.com/web:1", ...container }],
    ...own,
  },
});
const account = post("serviceaccounts", {
  apiVersion: "v1",
  kind: "ServiceAccount",
  metadata: { name: "app" },
});
const good = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  runAsNonRoot: true,
  seccompProfile: { type: "RuntimeDefault" },
};
const security = (own: Own = {}, container: Own = {}) =>
  post("pods", pod(own, { securityContext: good, ...container }), dry);

const secured: readonly Asking[] = [
  account,
  post("pods", pod(), dry),
  security(),
  security({ hostNetwork: true, hostPID: true, hostIPC: true }),
  security({ volumes: [{ name: "v", hostPath: { path: "/" } }] }),
  security({ volumes: [{ name: "v", nfs: { server: "a", path: "/" } }] }),
  security({ securityContext: { runAsUser: 0 } }),
  security({ securityContext: { sysctls: [{ name: "kernel.msgmax", value: "1" }] } }),
  security({}, { securityContext: { ...good, privileged: true, allowPrivilegeEscalation: true } }),
  security({}, { securityContext: { ...good, capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] } } }),
  security({}, { securityContext: { ...good, capabilities: { add: ["SYS_ADMIN"] } } }),
  security({}, { securityContext: { ...good, runAsNonRoot: undefined } }),
  security(
    { securityContext: { runAsNonRoot: true } },
    { securityContext: { ...good, runAsNonRoot: undefined } },
  ),
  security({}, { securityContext: { ...good, seccompProfile: { type: "Unconfined" } } }),
  security({}, { securityContext: { ...good, runAsUser: 0 } }),
  security({}, { ports: [{ containerPort: 80, hostPort: 80 }] }),
  security({ initContainers: [{ name: "init", image: "x" }] }),
  security({}, { lifecycle: { preStop: { httpGet: { host: "example.com", port: 80 } } } }),
  post(
    "deployments",
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "d" },
      spec: {
        replicas: 0,
        selector: { matchLabels: { a: "b" } },
        template: { metadata: { labels: { a: "b" } }, spec: { ...pod().spec, hostNetwork: true } },
      },
    },
    dry,
  ),
  merge("/api/v1/namespaces/{ns}", {
    metadata: { labels: { "pod-security.kubernetes.io/enforce": "baseline" } },
  }),
  security({ hostPID: true }),
  post("pods", pod(), dry),
];

const living: readonly Asking[] = [
  account,
  post("pods", pod({ serviceAccountName: "none" })),
  post("pods", pod({ serviceAccountName: "app", automountServiceAccountToken: undefined }), dry),
  post("pods", pod({ priorityClassName: "none" }), dry),
  post("pods", pod({ nodeName: "nowhere", schedulerName: "own" }), dry),
  post("pods", pod({ schedulerName: "own", priority: 5 }), dry),
  post("pods", pod({ schedulerName: "own" }), { as: "p" }),
  get("pods/p"),
  get("pods/p/log"),
  get("pods/p/log", "container=none"),
  merge("pods/p", { spec: { containers: [{ name: "main", image: "registry.example.com/web:2" }] } }),
  merge("pods/p", { spec: { nodeName: "x" } }),
  merge("pods/p", { spec: { activeDeadlineSeconds: 0 } }),
  merge("pods/p", { spec: { activeDeadlineSeconds: 60 } }),
  merge("pods/p", { metadata: { labels: { a: "b" } }, status: { phase: "Running" } }),
  merge("pods/p/status", { status: { phase: "Running" }, metadata: { labels: { from: "status" } } }),
  merge("pods/p/status", { status: { phase: "Dancing" } }),
  merge("pods/p/status", { status: { conditions: [{ type: "Ready", status: "True" }] } }),
  get("pods/p/status"),
  post("pods/p/binding", {
    apiVersion: "v1",
    kind: "Binding",
    metadata: { name: "p" },
    target: { apiVersion: "v1", kind: "Node", name: "" },
  }),
  post("pods/p/eviction", { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: "other" } }),
  post("pods/p/eviction", { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: "p" } }, dry),
  post("pods/none/eviction", { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: "none" } }),
  remove("pods/p", { apiVersion: "v1", kind: "DeleteOptions", gracePeriodSeconds: 5 }),
  get("pods/p"),
];

const limited: readonly Asking[] = [
  account,
  post("limitranges", {
    apiVersion: "v1",
    kind: "LimitRange",
    metadata: { name: "limits" },
    spec: {
      limits: [
        {
          type: "Container",
          default: { cpu: "500m", memory: "256Mi" },
          defaultRequest: { cpu: "100m" },
          min: { memory: "16Mi" },
          max: { cpu: "2", memory: "1Gi" },
        },
      ],
    },
  }),
  post("pods", pod({}, { resources: {} }), dry),
  post("pods", pod({}, { resources: { limits: { cpu: "1" } } }), dry),
  post("pods", pod({}, { resources: { requests: { cpu: "600m" } } }), dry),
  post("pods", pod({}, { resources: { limits: { cpu: "3", memory: "2Gi" } } }), dry),
  post("pods", pod({}, { resources: { limits: { memory: "1Mi" } } }), dry),
];

const counted: readonly Asking[] = [
  account,
  post("resourcequotas", {
    apiVersion: "v1",
    kind: "ResourceQuota",
    metadata: { name: "quota" },
    spec: { hard: { "requests.cpu": "1", "limits.memory": "1Gi", pods: "2", "count/configmaps": "3" } },
  }),
  // The controller has told the admission plugin what is in use.
  {
    ...get("resourcequotas", "watch=true&fieldSelector=metadata.name%3Dquota&timeoutSeconds=3", {
      events: 2,
    }),
    isUnshown: true,
  },
  post("pods", pod({}, { resources: { requests: { cpu: "100m" }, limits: { memory: "10Mi" } } }), dry),
  post("pods", pod(), dry),
  post("pods", pod({}, { resources: { requests: { cpu: "2" }, limits: { cpu: "2", memory: "10Mi" } } }), dry),
  post("pods", pod({}, { resources: { requests: { cpu: "2" }, limits: { cpu: "2", memory: "2Gi" } } }), dry),
];

export const podChapters: readonly Chapter[] = [
  {
    title: "Pod Security",
    labels: {
      "pod-security.kubernetes.io/enforce": "restricted",
      "pod-security.kubernetes.io/warn": "restricted",
    },
    requests: secured,
  },
  { title: "a Pod's life", requests: living },
  { title: "limits", requests: limited },
  { title: "quotas", needsControllers: true, requests: counted },
];
