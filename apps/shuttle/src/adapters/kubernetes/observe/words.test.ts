import type { DesiredService } from "@starform/contract/clusters";
import { expect, test } from "vitest";
import type { EventView } from "../view/event-view.ts";
import { podView, type PodView } from "../view/pod-view.ts";
import { waitingWords } from "./image-words.ts";
import { isDenialOfFile } from "./denial-words.ts";
import { endingWords, runsEnded } from "./ending-words.ts";
import { evictionWords } from "./eviction-words.ts";
import { placementWords } from "./placement-words.ts";
import { podTrouble } from "./pod-trouble.ts";
import { probeAnswerOf } from "./probe-words.ts";
import { refusedPodWords } from "./refused-pods.ts";

const unhealthy = (message: string): EventView => ({
  uid: "u",
  kind: "Pod",
  namespace: "n",
  name: "p",
  reason: "Unhealthy",
  message,
  count: 3,
  atMs: 0,
});

test.each([
  ["Readiness probe failed: HTTP probe failed with statuscode: 500", "GET /ready answered 500"],
  [
    'Startup probe failed: Get "http://10.1.0.7:8080/healthz": dial tcp 10.1.0.7:8080: connect: connection refused',
    "silence",
  ],
  [
    'Liveness probe failed: Get "http://10.1.0.7:8080/healthz?x=1": context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
    "GET /healthz was not answered in time",
  ],
  ["Readiness probe failed: dial tcp 10.1.0.7:8080: i/o timeout", "the port was not answered in time"],
  ['Startup probe failed: Get "http://10.1.0.7:8080/": EOF', "GET / was cut off without an answer"],
])("tells what a probe got: %s", (message, answer) => {
  expect(
    probeAnswerOf(unhealthy(message), (kind) =>
      kind === "Readiness" && message.includes("status") ? "/ready" : undefined,
    )?.answer,
  ).toBe(answer);
});

test.each([
  [
    "0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod.",
    "no node of the cluster has room: 3 of 3 nodes have too little processor time free",
  ],
  [
    "0/3 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 2 Insufficient memory.",
    "no node of the cluster has room: 1 of 3 nodes are not open to apps, 2 of 3 nodes have too little memory free",
  ],
  [
    "0/3 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/unreachable: }, 2 node(s) had untolerated taint {node.kubernetes.io/not-ready: }.",
    "no node of the cluster has room: 1 of 3 nodes do not answer, 2 of 3 nodes do not answer",
  ],
  [
    "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint(s). no new claims to deallocate, preemption: 0/3 nodes are available: 1 No preemption victims found for incoming pod.",
    "no node of the cluster has room: 1 of 3 nodes have too little processor time free, 2 of 3 nodes are not open to apps, or do not answer",
  ],
  [
    "0/1 nodes are available: 1 node(s) are full of sand. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.",
    "no node of the cluster has room: 1 of 1 nodes say: node(s) are full of sand",
  ],
  ["0/0 nodes are available.", "no node of the cluster has room: it has no nodes"],
  [
    "0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/2 nodes are available",
    "the service's volume is not there yet",
  ],
])("tells why there is no node: %s", (message, sentence) => {
  expect(placementWords(message)).toBe(sentence);
});

const own = { image: "r.example.com/shop/web@sha256:1", command: "node server.js" };
test.each([
  [
    "ErrImagePull",
    'failed to pull and unpack image "r.example.com/shop/web@sha256:1": failed to resolve reference: not found',
    `the image ${own.image} is not in the registry: deploy again to build it`,
    true,
  ],
  [
    "ImagePullBackOff",
    'Back-off pulling image "x": ErrImagePull: failed to authorize: 401 Unauthorized',
    `the registry does not let this cluster have the image ${own.image}: its operator must renew the pull secret`,
    true,
  ],
  [
    "ErrImagePull",
    'failed to pull and unpack image "r.example.com/shop/web@sha256:1": failed to resolve image: pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials',
    `the registry does not let this cluster have the image ${own.image}`,
    true,
  ],
  [
    "ErrImagePull",
    `failed to do request: Head "https://r.example.com/v2/shop/web/manifests/sha256:${"0".repeat(61)}401": dial tcp 192.0.2.1:4031: connect: connection refused`,
    `the image ${own.image} cannot be pulled yet and is tried again: dial tcp 192.0.2.1:4031: connect: connection refused`,
    false,
  ],
  [
    "ErrImagePull",
    'failed to pull and unpack image "r.example.com/shop/web@sha256:1": failed to resolve image: unexpected status from HEAD request to https://r.example.com/v2/shop/web/manifests/sha256:1: 429 Too Many Requests',
    `the image ${own.image} cannot be pulled yet and is tried again: the registry answered 429 Too Many Requests`,
    false,
  ],
  [
    "ImagePullBackOff",
    'Back-off pulling image "x": ErrImagePull: dial tcp 1.2.3.4:443: i/o timeout',
    `the image ${own.image} cannot be pulled yet and is tried again: dial tcp 1.2.3.4:443: i/o timeout`,
    false,
  ],
  [
    "CreateContainerError",
    "failed to create containerd container: no command specified",
    "there is no start command",
    true,
  ],
  [
    "RunContainerError",
    'exec: "nope": executable file not found in $PATH',
    "the start command was not found: node server.js; correct it, or add the package that brings it",
    true,
  ],
  [
    "RunContainerError",
    'failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "/bin/sh": stat /bin/sh: no such file or directory',
    `a start command is run by /bin/sh, and the image ${own.image} has none: leave the start command out`,
    true,
  ],
  [
    "CreateContainerConfigError",
    'container has runAsNonRoot and image will run as root (pod: "web_proj-shop(1)", container: app)',
    "the image runs as root, which no app may: name a user of its own in it by number",
    true,
  ],
  [
    "CreateContainerConfigError",
    "container has runAsNonRoot and image has non-numeric user (node), cannot verify user is non-root",
    "the image names its user by name",
    true,
  ],
  [
    "CreateContainerConfigError",
    'configmap "env-web-1" not found',
    "its variables are not in the cluster yet",
    false,
  ],
  [
    "CreateContainerConfigError",
    "failed to sync configmap cache: timed out waiting for the condition",
    "its variables are not in the cluster yet",
    false,
  ],
])("tells why a container waits: %s %s", (reason, message, sentence, isFinal) => {
  const trouble = waitingWords({ reason, message }, own);
  expect(trouble?.sentence).toContain(sentence);
  expect(trouble?.isFinal).toBe(isFinal);
});

test("a container that is on its way is no trouble", () => {
  expect(waitingWords({ reason: "ContainerCreating", message: "" }, own)).toBeUndefined();
});

test.each([
  "Error: EACCES: permission denied, open '/app/data.db'",
  "Error: EACCES: permission denied, mkdir 'uploads'",
  "Error: EPERM: operation not permitted, chown '/data'",
  "PermissionError: [Errno 13] Permission denied: '/data/x'",
  "panic: open /data/x: permission denied",
  "/entry.sh: line 3: /data/x: Permission denied",
  "sh: can't create log/x: Permission denied",
  "mkdir: cannot create directory ‘/var/x’: Permission denied",
  "java.io.FileNotFoundException: /var/x (Permission denied)",
  "Permission denied @ rb_sysopen - /app/log/production.log (Errno::EACCES)",
  'nginx: [emerg] mkdir() "/var/cache/nginx/client_temp" failed (13: Permission denied)',
])("a denied file is told from its line: %s", (line) => expect(isDenialOfFile(line)).toBe(true));

test.each([
  "ERROR: permission denied for table users",
  'psql: error: /app/seed.sql: permission denied for schema "public"',
  "ERROR: permission denied to create extension",
  "git@github.com: Permission denied (publickey).",
  "fatal: cannot open git@example.com: Permission denied (publickey)",
  "Error: EPERM: operation not permitted, setpriority",
  "Error: kill EPERM",
  "setgroups: Operation not permitted",
  "Error: listen EACCES: permission denied 0.0.0.0:80",
  "GET https://api.example.com/v1/x: Permission denied",
])("what is denied elsewhere is no denied file: %s", (line) => expect(isDenialOfFile(line)).toBe(false));

test("of a denied file the user is told that the pod runs as", () => {
  const ending = {
    exitCode: 1,
    signal: 0,
    reason: "Error",
    message: "open /x: permission denied",
    ranForMs: 1,
  };
  const ended = (userId: number | undefined) =>
    ({ isReady: false, restarts: 0, ending, image: "i", userId }) as PodView;
  const none = { path: null };
  const service = {
    probes: { startup: none, readiness: none, liveness: none },
    resources: { memory_bytes: 1 },
  } as unknown as DesiredService;
  expect(podTrouble(ended(2_000), service, [])?.sentence).toContain("it runs as user 2000");
  expect(podTrouble(ended(undefined), service, [])?.sentence).not.toContain("it runs as user");
});

test("one that could not be started is told alike whether it waits or has just been tried", () => {
  const message =
    'failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "/app/start": stat /app/start: no such file or directory';
  const never = { exitCode: 128, startedAt: "1970-01-01T00:00:00Z", finishedAt: "2026-11-30T22:44:18Z" };
  const terminated = { ...never, reason: "StartError", message };
  const seen = (state: object, lastState: object) =>
    podView({
      apiVersion: "v1",
      kind: "Pod",
      metadata: {
        name: "p",
        labels: Object.fromEntries(
          ["project-id", "environment", "service-id"].map((label) => [`starform.io/${label}`, "a"]),
        ),
      },
      status: { phase: "Running", containerStatuses: [{ name: "app", state, lastState, restartCount: 1 }] },
    })!;
  const service = { command: "npm start" } as DesiredService;
  for (const view of [
    seen({ waiting: { reason: "RunContainerError", message } }, { terminated }),
    seen({ terminated }, {}),
    seen({ waiting: { reason: "CrashLoopBackOff", message: "back-off 10s" } }, { terminated }),
  ]) {
    expect(podTrouble(view, service, [])).toMatchObject({
      kind: "start",
      isFinal: true,
      sentence: expect.stringMatching(/^the start command was not found: npm start/) as string,
    });
    // It never ran: nothing is made up for it.
    expect(view.ranSinceMs).toBeUndefined();
  }
});

const pod = (environment: string, cpuMillis: number) =>
  ({ key: `p/${environment}/s`, phase: "Running", cpuMillis, memoryBytes: 2 ** 30 }) as PodView;
const full = (limits: string) => `pods "web-1" is forbidden: exceeded quota: starform-project, ${limits}`;

test("a quota is told with who uses it", () => {
  const cpu = full("requested: requests.cpu=500m, used: requests.cpu=4, limited: requests.cpu=4");
  expect(refusedPodWords(cpu, [pod("staging", 4_000)]).sentence).toBe("quota: 4 of 4 CPUs in use by staging");
  expect(refusedPodWords(cpu, [pod("production", 1_000), pod("staging", 3_000)]).sentence).toBe(
    "quota: 4 of 4 CPUs in use, 3 by staging, 1 by production",
  );
  const two = full(
    "requested: pods=1,requests.memory=1Gi, used: pods=2,requests.memory=4Gi, limited: pods=9,requests.memory=4Gi",
  );
  expect(refusedPodWords(two, [pod("staging", 1)]).sentence).toBe(
    "quota: 4 GiB of 4 GiB memory in use by staging",
  );
});

test("Pod Security is told as what it is, and as final", () => {
  const message =
    'pods "a" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true (pod or container "app" must set securityContext.runAsNonRoot=true)';
  expect(refusedPodWords(message, [])).toEqual({
    sentence: expect.stringMatching(/^refused by the cluster's Pod Security.*runAsNonRoot != true/) as string,
    isFinal: true,
  });
});

test.each([
  [
    'Usage of EmptyDir volume "tmp" exceeds the limit "1073741824". ',
    "killed: wrote more than 1 GiB to /tmp, which is all that an instance may: ",
  ],
  [
    "Pod ephemeral local storage usage exceeds the total limit of containers 4294967296. ",
    "killed: wrote more than 4 GiB to its disk (its files, /tmp and its log together), which is all",
  ],
  [
    'Container app exceeded its local ephemeral storage limit "4Gi". ',
    "killed: wrote more than 4 GiB to its disk (its files, /tmp and its log together), which is all",
  ],
  [
    "The node was low on resource: memory. Threshold quantity: 100Mi, available: 80Mi. ",
    "killed: its node had to make room and put it out: The node was low on resource: memory.",
  ],
  ["", "killed: its node had to make room and put it out"],
])("tells why a node put a pod out: %s", (message, sentence) => {
  expect(evictionWords(message).startsWith(sentence)).toBe(true);
});

test("of a container that nobody saw end, no end is told", () => {
  const terminated = {
    exitCode: 137,
    reason: "ContainerStatusUnknown",
    message: "The container could not be located when the pod was terminated",
    startedAt: null,
    finishedAt: null,
  };
  const view = podView({
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: "p",
      deletionTimestamp: "2026-12-01T05:49:12Z",
      deletionGracePeriodSeconds: 15,
      labels: Object.fromEntries(
        ["project-id", "environment", "service-id"].map((label) => [`starform.io/${label}`, "a"]),
      ),
    },
    status: { phase: "Failed", containerStatuses: [{ name: "app", state: { terminated }, restartCount: 0 }] },
  } as Parameters<typeof podView>[0])!;
  expect(runsEnded(view)).toBe(0);
  expect(
    endingWords(view, { service_type: "web", ports: [] } as unknown as DesiredService, []),
  ).toBeUndefined();
});

/** A kubelet's events and statuses, to the second, of an app that starts in 3 s of 20. */
const endedAt = Date.parse("2026-12-01T06:04:48Z");
const asked = (kind: string, atMs: number): EventView => ({
  ...unhealthy(`${kind} probe failed: dial tcp 10.89.0.141:8080: connect: connection refused`),
  atMs,
});
const killing = (kind: string, atMs: number): EventView => ({
  ...unhealthy(`Container app failed ${kind} probe, will be restarted`),
  reason: "Killing",
  atMs,
});
test.each([
  [
    "ends by itself",
    [asked("Startup", endedAt - 237_000), asked("Liveness", endedAt)],
    /^exited with code 0 after 4 min/,
  ],
  [
    "ends by itself, other than before",
    [asked("Liveness", endedAt - 260_000), killing("liveness", endedAt - 260_000)],
    /^exited with code 0 after 4 min/,
  ],
  [
    "is given up",
    [asked("Startup", endedAt - 230_000), killing("startup", endedAt - 12_000)],
    /^not ready within 20 s: nothing listens/,
  ],
  [
    "is given up, of whose probes nothing was kept",
    [killing("startup", endedAt - 12_000)],
    /^not ready within 20 s: see why with starform logs/,
  ],
  [
    "fails its health checks",
    [
      asked("Startup", endedAt - 237_000),
      asked("Liveness", endedAt - 10_000),
      killing("liveness", endedAt - 10_000),
    ],
    /^failed 3 health checks in a row: nothing listens/,
  ],
])("an app that %s is told from the others", (_what, events, sentence) => {
  const ranForMs = 240_000;
  const ending = {
    run: 1,
    endedAtMs: endedAt,
    exitCode: 0,
    signal: 0,
    reason: "Completed",
    message: "",
    ranForMs,
  };
  const view = { isReady: false, restarts: 1, ending, image: "i" } as PodView;
  const probe = { kind: "http", path: "/", timeout_seconds: 20 } as const;
  const service = {
    probes: { startup: probe, readiness: probe, liveness: probe },
    resources: { memory_bytes: 1 },
    ports: [{ container_port: 8080, protocol: "TCP" }],
    drain_seconds: 5,
    command: "npm start",
  } as unknown as DesiredService;
  expect(podTrouble(view, service, events)?.sentence).toMatch(sentence);
});

test("of a container that its probe ended again and again, the kubelet need not say so each time", () => {
  const ending = { run: 7, endedAtMs: endedAt, signal: 0, reason: "Error", message: "", ranForMs: 32_000 };
  const probe = { kind: "http", path: "/", timeout_seconds: 20 } as const;
  const service = {
    probes: { startup: probe, readiness: probe, liveness: probe },
    resources: { memory_bytes: 1 },
    ports: [{ container_port: 8080, protocol: "TCP" }],
    command: "npm start",
  } as unknown as DesiredService;
  const said = (exitCode: number) =>
    podTrouble(
      { isReady: false, restarts: 6, ending: { ...ending, exitCode }, image: "i" } as PodView,
      service,
      [killing("startup", endedAt - 120_000)],
    )?.sentence;
  expect(said(143)).toMatch(/^not ready within 20 s/);
  expect(said(1)).toMatch(/^exited with code 1/);
});

test("what a probe got at the start is no reason for one that was ready meanwhile", () => {
  const waits = { isReady: false, restarts: 0, image: "i", startedAtMs: endedAt - 300_000 } as PodView;
  const service = {
    probes: { startup: { path: "/" }, readiness: { path: "/" }, liveness: { path: "/" } },
    ports: [{ container_port: 8080, protocol: "TCP" }],
  } as unknown as DesiredService;
  const events = [asked("Startup", endedAt - 299_000)];
  expect(podTrouble({ ...waits, unreadySinceMs: endedAt }, service, events)).toBeUndefined();
  expect(podTrouble({ ...waits, unreadySinceMs: endedAt - 300_000 }, service, events)?.sentence).toMatch(
    /^not ready yet/,
  );
});
