import {
  apply,
  get,
  jsonPatch,
  merge,
  post,
  put,
  remove,
  strategic,
  type Asking,
  type Chapter,
} from "../request.ts";

type Own = Record<string, unknown>;
const dry = { query: "dryRun=All" };
const container = { name: "main", image: "registry.example.com/web:1" };
const labels = { app: "web" };
const pod = (own: Own = {}, first: Own = {}) => ({ containers: [{ ...container, ...first }], ...own });
const deployment = (name: string, own: Own = {}, template: Own = {}) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name, labels },
  spec: {
    replicas: 0,
    selector: { matchLabels: labels },
    ...own,
    template: { metadata: { labels }, spec: pod(), ...template },
  },
});
const withPod = (own: Own = {}, first: Own = {}): Asking =>
  post("deployments", deployment("web", {}, { spec: pod(own, first) }), dry);
const probe = (own: Own) => withPod({}, { readinessProbe: own });

const wrong: readonly Asking[] = [
  post("deployments", deployment("web"), dry),
  post("deployments", deployment("web", { replicas: -1 }), dry),
  post("deployments", deployment("web", { selector: { matchLabels: { app: "other" } } }), dry),
  post("deployments", deployment("web", { selector: undefined }), dry),
  post("deployments", deployment("web", { selector: {} }), dry),
  post(
    "deployments",
    deployment("web", { selector: { matchExpressions: [{ key: "app", operator: "Like" }] } }),
    dry,
  ),
  post("deployments", deployment("web", { strategy: { type: "Recreate" } }), dry),
  post(
    "deployments",
    deployment("web", { strategy: { type: "Recreate", rollingUpdate: { maxSurge: 1 } } }),
    dry,
  ),
  post(
    "deployments",
    deployment("web", { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } }),
    dry,
  ),
  post("deployments", deployment("web", { strategy: { rollingUpdate: { maxSurge: "x%" } } }), dry),
  post("deployments", deployment("web", { strategy: { rollingUpdate: { maxUnavailable: "200%" } } }), dry),
  post("deployments", deployment("web", { strategy: { type: "Slowly" } }), dry),
  post("deployments", deployment("web", { minReadySeconds: -1, revisionHistoryLimit: -1 }), dry),
  post("deployments", deployment("web", { minReadySeconds: 600, progressDeadlineSeconds: 600 }), dry),
  post("deployments", deployment("web", { replicas: "two" }), dry),
  post("deployments", deployment("Web"), dry),
  post("deployments", { ...deployment("web"), spec: undefined }, dry),
  post("deployments", deployment("web", {}, { spec: { containers: [] } }), dry),
  post("deployments", deployment("web", {}, { spec: {} }), dry),
  withPod({ restartPolicy: "Never" }),
  withPod({ restartPolicy: "Sometimes" }),
  withPod({ dnsPolicy: "Never" }),
  withPod({ terminationGracePeriodSeconds: -1 }),
  withPod({ activeDeadlineSeconds: 5 }),
  withPod({ serviceAccountName: "A_b" }),
  withPod({ nodeSelector: { "a b": "c" } }),
  withPod({ containers: [container, container] }),
  withPod({ containers: [{ name: "A_b", image: "" }] }),
  withPod({ containers: [{ image: "x" }] }),
  withPod({ initContainers: [{ name: "main", image: "x" }] }),
  withPod({ initContainers: [{ name: "init", image: " x " }] }),
  withPod({ imagePullSecrets: [{ name: "" }] }, { imagePullPolicy: "Often" }),
  withPod({}, { ports: [{ containerPort: 0 }] }),
  withPod({}, { ports: [{ containerPort: 70_000, name: "much-too-long-a-port-name" }] }),
  withPod(
    {},
    {
      ports: [
        { containerPort: 80, name: "a" },
        { containerPort: 81, name: "a" },
      ],
    },
  ),
  withPod({}, { ports: [{ containerPort: 80 }, { containerPort: 80 }] }),
  withPod({}, { ports: [{ containerPort: 80, protocol: "HTTP" }] }),
  withPod({}, { ports: [{ containerPort: 80, hostPort: 90 }], resources: {} }),
  withPod({ hostNetwork: true }, { ports: [{ containerPort: 80 }] }),
  withPod({}, { env: [{ name: "", value: "x" }] }),
  withPod({}, { env: [{ name: "1 b=", value: "x" }] }),
  withPod(
    {},
    {
      env: [
        { name: "A", value: "1" },
        { name: "A", value: "2" },
      ],
    },
  ),
  withPod({}, { env: [{ name: "A", value: "x", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }] }),
  withPod({}, { env: [{ name: "A", valueFrom: {} }] }),
  withPod({}, { env: [{ name: "A", valueFrom: { fieldRef: { fieldPath: "metadata.what" } } }] }),
  withPod({}, { env: [{ name: "A", valueFrom: { resourceFieldRef: { resource: "limits.cpu" } } }] }),
  withPod({}, { env: [{ name: "A", valueFrom: { secretKeyRef: { name: "s", key: "" } } }] }),
  withPod({}, { envFrom: [{ prefix: "1", configMapRef: { name: "" } }, {}] }),
  withPod({}, { envFrom: [{ configMapRef: { name: "a" }, secretRef: { name: "b" } }] }),
  withPod({}, { resources: { requests: { cpu: "2" }, limits: { cpu: "1" } } }),
  withPod({}, { resources: { requests: { cpu: "-1" }, limits: { memory: "1.5.5" } } }),
  withPod({}, { resources: { limits: { memory: "1Qi" } } }),
  withPod({}, { resources: { limits: { cpu: "0.0001", memory: "100m" } } }),
  withPod({}, { resources: { limits: { unheard: "1" } } }),
  withPod({}, { resources: { limits: { cpu: 1, memory: 1024 } } }),
  withPod({}, { volumeMounts: [{ name: "none", mountPath: "/data" }] }),
  withPod({ volumes: [{ name: "v", emptyDir: {} }] }, { volumeMounts: [{ name: "v", mountPath: "" }] }),
  withPod(
    { volumes: [{ name: "v", emptyDir: {} }] },
    {
      volumeMounts: [
        { name: "v", mountPath: "/a" },
        { name: "v", mountPath: "/a" },
      ],
    },
  ),
  withPod(
    { volumes: [{ name: "v", emptyDir: {} }] },
    { volumeMounts: [{ name: "v", mountPath: "/a", subPath: "../x" }] },
  ),
  withPod({ volumes: [{ name: "v" }] }),
  withPod({
    volumes: [
      { name: "v", emptyDir: {} },
      { name: "v", emptyDir: {} },
    ],
  }),
  withPod({ volumes: [{ name: "v", emptyDir: {}, secret: { secretName: "s" } }] }),
  withPod({ volumes: [{ name: "V_", emptyDir: { sizeLimit: "-1" } }] }),
  withPod({
    volumes: [
      { name: "v", secret: {} },
      { name: "w", configMap: {} },
    ],
  }),
  withPod({ volumes: [{ name: "v", persistentVolumeClaim: { claimName: "" } }] }),
  withPod({ volumes: [{ name: "v", projected: { sources: [{}] } }] }),
  withPod({ volumes: [{ name: "v", hostPath: { path: "../a" } }] }),
  probe({ httpGet: { path: "/", port: 80 } }),
  probe({}),
  probe({ httpGet: { path: "/", port: 0 } }),
  probe({ httpGet: { path: "", port: "much-too-long-a-port-name" } }),
  probe({ tcpSocket: { port: 80 }, httpGet: { port: 80 } }),
  probe({ tcpSocket: { port: 80 }, periodSeconds: -1, timeoutSeconds: 0 }),
  probe({ tcpSocket: { port: 80 }, successThreshold: 2, failureThreshold: 0 }),
  probe({ exec: { command: [] } }),
  probe({ httpGet: { port: 80, scheme: "FTP" } }),
  withPod({}, { livenessProbe: { tcpSocket: { port: 80 }, successThreshold: 2 } }),
  withPod({}, { startupProbe: { tcpSocket: { port: 80 }, terminationGracePeriodSeconds: 0 } }),
  withPod({}, { lifecycle: { preStop: {} } }),
  withPod({}, { lifecycle: { preStop: { sleep: { seconds: -1 } } } }),
  withPod({ terminationGracePeriodSeconds: 5 }, { lifecycle: { preStop: { sleep: { seconds: 9 } } } }),
  withPod({ terminationGracePeriodSeconds: 5 }, { lifecycle: { preStop: { exec: { command: ["x"] } } } }),
  withPod({ securityContext: { runAsUser: -1, fsGroup: -5 } }),
  withPod({ securityContext: { seccompProfile: { type: "Localhost" } } }),
  withPod({ securityContext: { seccompProfile: { type: "Loose" } } }),
  withPod({}, { securityContext: { privileged: true, allowPrivilegeEscalation: false } }),
  withPod({}, { securityContext: { capabilities: { drop: ["ALL"] }, procMount: "Odd" } }),
  withPod({}, { terminationMessagePolicy: "Loud" }),
  withPod({ topologySpreadConstraints: [{ maxSkew: 0, topologyKey: "", whenUnsatisfiable: "Cry" }] }),
  withPod({
    topologySpreadConstraints: [{ maxSkew: 1, topologyKey: "zone", whenUnsatisfiable: "ScheduleAnyway" }],
  }),
  withPod({ tolerations: [{ key: "a", operator: "Exists", value: "b" }] }),
  withPod({ tolerations: [{ operator: "Equal", value: "b", effect: "Whatever" }] }),
  withPod({ hostAliases: [{ ip: "no ip", hostnames: ["A_b"] }] }),
  withPod({ automountServiceAccountToken: false, enableServiceLinks: false }),
  withPod({ unheard: 1 }, { alsoUnheard: 1 }),
  post("deployments", deployment("web", { unheard: 1 }, { spec: pod({ unheard: 2 }) }), {
    query: "fieldValidation=Strict",
  }),
  post("deployments", deployment("web", {}, { metadata: { labels: { app: "web", "b c": "" } } }), dry),
  post("deployments", deployment("web", {}, { metadata: { labels, annotations: { "b c": "" } } }), dry),
];

const path = "deployments/web";
const first = (own: Own) => ({ spec: { template: { spec: { containers: [{ name: "main", ...own }] } } } });
const living: readonly Asking[] = [
  post("deployments", deployment("web"), { as: "web" }),
  merge(path, { spec: { selector: { matchLabels: { app: "other" } } } }),
  merge(path, { spec: { template: { metadata: { labels: { app: "other" } } } } }),
  merge(path, { metadata: { labels: { only: "labels" } } }),
  strategic(
    path,
    first({
      env: [
        { name: "A", value: "1" },
        { name: "B", value: "2" },
      ],
    }),
  ),
  strategic(
    path,
    first({
      env: [
        { name: "C", value: "3" },
        { name: "A", value: "9" },
      ],
    }),
  ),
  strategic(path, first({ env: [{ name: "B", $patch: "delete" }] })),
  strategic(
    path,
    first({ "$setElementOrder/env": [{ name: "A" }, { name: "C" }], env: [{ name: "A", value: "0" }] }),
  ),
  strategic(path, first({ ports: [{ containerPort: 80 }, { containerPort: 80, protocol: "UDP" }] })),
  strategic(path, first({ command: ["a", "b"] })),
  strategic(path, first({ env: [{ $patch: "replace" }, { name: "Z", value: "z" }] })),
  strategic(path, { spec: { template: { spec: { containers: [{ name: "side", image: "side:1" }] } } } }),
  strategic(path, { spec: { template: { spec: { containers: [{ name: "side", $patch: "delete" }] } } } }),
  strategic(path, { spec: { template: { spec: { volumes: [{ name: "v", emptyDir: {} }] } } } }),
  strategic(path, {
    spec: {
      template: {
        spec: { volumes: [{ name: "v", $retainKeys: ["name", "secret"], secret: { secretName: "s" } }] },
      },
    },
  }),
  strategic(path, { spec: { template: { spec: { $patch: "frob" } } } }),
  strategic(path, { spec: { strategy: { $retainKeys: ["type"], type: "Recreate" } } }),
  strategic(path, { metadata: { "$deleteFromPrimitiveList/finalizers": ["x"], finalizers: ["x.io/y"] } }),
  strategic(path, { metadata: { "$deleteFromPrimitiveList/finalizers": ["x.io/y"] } }),
  strategic(path, { spec: { replicas: "two" } }),
  strategic(path, { spec: { unheard: 1 } }, { query: "fieldValidation=Strict" }),
  strategic(path, first({ image: "" })),
  jsonPatch(path, [
    { op: "replace", path: "/spec/template/spec/containers/0/image", value: "registry.example.com/web:2" },
  ]),
  jsonPatch(path, [{ op: "add", path: "/spec/template/spec/containers/9", value: container }]),
  get(path),
  get(`${path}/scale`),
  merge(`${path}/scale`, { spec: { replicas: -2 } }),
  put(`${path}/scale`, {
    apiVersion: "autoscaling/v1",
    kind: "Scale",
    metadata: { name: "web", namespace: "{ns}" },
    spec: { replicas: 0 },
  }),
  put(`${path}/scale`, {
    apiVersion: "autoscaling/v1",
    kind: "Scale",
    metadata: { name: "other" },
    spec: {},
  }),
  apply(
    `${path}/scale`,
    { apiVersion: "autoscaling/v1", kind: "Scale", metadata: { name: "web" }, spec: { replicas: 0 } },
    "scaler",
  ),
  remove(`${path}/scale`),
  put(path, deployment("web", {}, { spec: pod({}, { image: "registry.example.com/web:3" }) })),
  put(path, deployment("web", { selector: { matchLabels: { app: "web", b: "c" } } })),
  apply(path, deployment("web"), "one"),
  apply(path, deployment("web"), "one", { query: "force=true" }),
  apply(path, deployment("web", {}, { spec: pod({}, { env: [{ name: "A", value: "1" }] }) }), "one"),
  apply(
    path,
    deployment(
      "web",
      {},
      {
        spec: pod(
          {},
          {
            env: [
              { name: "A", value: "2" },
              { name: "B", value: "1" },
            ],
          },
        ),
      },
    ),
    "two",
    { query: "force=true" },
  ),
  apply(path, deployment("web", {}, { spec: pod({}, { env: [{ name: "A", value: "1" }] }) }), "one"),
  apply(path, deployment("web"), "one"),
  apply(path, { ...deployment("web"), spec: {} }, "two"),
  apply(
    path,
    deployment(
      "web",
      {},
      {
        spec: pod(
          {},
          {
            env: [
              { name: "A", value: "1" },
              { name: "A", value: "2" },
            ],
          },
        ),
      },
    ),
    "one",
  ),
  apply(path, deployment("web", {}, { spec: pod({}, { ports: [{ containerPort: 80 }] }) }), "one"),
  apply(
    path,
    deployment(
      "web",
      {},
      {
        spec: pod(
          {},
          {
            ports: [
              { containerPort: 80, protocol: "TCP" },
              { containerPort: 80, protocol: "UDP" },
            ],
          },
        ),
      },
    ),
    "one",
  ),
  apply(path, deployment("web", { replicas: "x" }), "one"),
  apply(path, deployment("web", {}, { spec: pod({}, { resources: { limits: { cpu: "1000m" } } }) }), "one"),
  apply(path, deployment("web", {}, { spec: pod({}, { resources: { limits: { cpu: 1 } } }) }), "one"),
  get(path),
  remove(path, { apiVersion: "v1", kind: "DeleteOptions", propagationPolicy: "Orphan", dryRun: ["All"] }),
  remove(path),
];

const job = (own: Own = {}, template: Own = {}) => ({
  apiVersion: "batch/v1",
  kind: "Job",
  metadata: { name: "j" },
  spec: { suspend: true, ...own, template: { spec: pod({ restartPolicy: "Never", ...template }) } },
});
const cron = (own: Own = {}, name = "c") => ({
  apiVersion: "batch/v1",
  kind: "CronJob",
  metadata: { name },
  spec: { schedule: "*/5 * * * *", suspend: true, ...own, jobTemplate: { spec: job().spec } },
});
const batch: readonly Asking[] = [
  post("jobs", job(), dry),
  post("jobs", job({ parallelism: -1, completions: -1, backoffLimit: -1 }), dry),
  post("jobs", job({ selector: { matchLabels: { a: "b" } } }), dry),
  post("jobs", job({}, { restartPolicy: "Always" }), dry),
  post("jobs", job({}, { restartPolicy: undefined }), dry),
  post("jobs", job({ completionMode: "Odd", ttlSecondsAfterFinished: -1 }), dry),
  post("jobs", { ...job(), metadata: { name: "j".repeat(64) } }, dry),
  ...[
    {},
    { schedule: "every day" },
    { schedule: "" },
    { schedule: "* * * *" },
    { schedule: "61 * * * *" },
    { schedule: "*/0 * * * *" },
    { schedule: "@daily" },
    { schedule: "@every 1m" },
    { schedule: "TZ=UTC * * * * *" },
    { schedule: "0 0 31 FEB MON" },
    { timeZone: "Mars/Base" },
    { timeZone: "" },
    { timeZone: "Local" },
    { concurrencyPolicy: "Maybe" },
    { startingDeadlineSeconds: -1, successfulJobsHistoryLimit: -1 },
    { unheard: 1 },
  ].map((own) => post("cronjobs", cron(own), dry)),
  post("cronjobs", cron({}, "c".repeat(53)), dry),
  post("cronjobs", cron()),
  merge("cronjobs/c", { spec: { schedule: "x" } }),
  merge("cronjobs/c", { spec: { suspend: false, schedule: "0 0 1 1 *" } }),
  apply("cronjobs/c", cron({ schedule: "1 1 1 1 *" }), "one"),
  remove("cronjobs/c"),
];

export const workloadChapters: readonly Chapter[] = [
  { title: "what a Deployment may be", requests: wrong },
  { title: "a Deployment's life", requests: living },
  { title: "Jobs and CronJobs", requests: batch },
];
