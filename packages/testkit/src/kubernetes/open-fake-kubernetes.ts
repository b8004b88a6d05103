import { selfSignedCertificate } from "@starform/std/self-signed-certificate";
import type { User } from "./access/users.ts";
import { advance } from "./advance.ts";
import { closableClock, systemClock, type Clock } from "./clock.ts";
import type { Cluster } from "./cluster.ts";
import { allControllers } from "./controllers/all-controllers.ts";
import { runControllers, type Runtime } from "./controllers/runtime.ts";
import { openFaultBook, type FaultBook } from "./faults/fault-book.ts";
import { openRequestBook, type RequestBook } from "./faults/request-book.ts";
import { openDoor } from "./http/door.ts";
import { clientOf, type InProcessClient } from "./in-process-client.ts";
import { openScripts } from "./kubelet/behaviour.ts";
import { openKubelet } from "./kubelet/kubelet.ts";
import { podHands, type PodHands } from "./kubelet/pod-hands.ts";
import { kubeconfigText } from "./kubeconfig-text.ts";
import type { MetricsBook } from "./metrics/metrics-book.ts";
import { threeNodes, type NodeSize } from "./nodes/fake-nodes.ts";
import { nodeHands, type NodeHands } from "./nodes/node-hands.ts";
import { furnishCluster, type Bundle } from "./furnish-cluster.ts";
import { openCluster } from "./open-cluster.ts";
import type { StoreSnapshot } from "./store/store.ts";
import { restore, wake } from "./restore.ts";

export type FakeKubernetesOptions = {
  /** The cluster's time; the machine's by default. A `steppedClock` stands still until `advance` moves it. */
  readonly clock?: Clock;
  /** Who sends which token, besides the administrator's `admin`. */
  readonly tokens?: Readonly<Record<string, User>>;
  /** The machines; three of 4 CPUs and 16Gi by default. */
  readonly nodes?: readonly NodeSize[];
  /** Custom resource definitions that are there from the start; both by default. */
  readonly bundles?: readonly Bundle[];
  /** Whether somebody looks after Gateways and their routes, as Envoy Gateway would; true by default. */
  readonly hasGatewayController?: boolean;
  /** Whether pods and nodes have metrics, as with metrics-server in the cluster; true by default. */
  readonly hasMetricsServer?: boolean;
  /** Every answer waits that long, in milliseconds of the machine. */
  readonly latencyMs?: number;
  /** Speaks HTTPS with a certificate that the kubeconfig trusts: kubectl sends no token without. */
  readonly isSecure?: boolean;
  /** How many writes a watch can look back; 20,000 by default. */
  readonly eventsKept?: number;
  /** Where names come from; `Math.random` by default. */
  readonly random?: () => number;
};

export type FakeKubernetes = AsyncDisposable & {
  readonly url: string;
  /** The certificate to trust, as PEM, when the server speaks HTTPS. */
  readonly certificate: string | undefined;
  readonly clock: Clock;
  /** The text of a kubeconfig for the user of a token; the administrator's by default. */
  kubeconfig(token?: string): string;
  /** Calls on the cluster without HTTP, as an administrator: to set up and to look. */
  readonly client: InProcessClient;
  readonly cluster: Cluster;
  readonly pods: PodHands;
  readonly nodes: NodeHands;
  /** What the metrics API answers and autoscalers go by. */
  readonly metrics: MetricsBook;
  readonly faults: FaultBook;
  /** What was asked of the server. */
  readonly requests: RequestBook;
  /** Resolves when no controller has anything to do before the clock moves on. */
  settle(): Promise<void>;
  /** Moves a stepped clock, stopping wherever something is due and letting it be done. */
  advance(ms: number): Promise<void>;
  /** Stops controllers by name, or all of them, until the answer is called. */
  readonly pause: Runtime["pause"];
  /** Ends every open watch, as a restarted API server does. */
  cutWatches(): void;
  /** Connections are refused until the answer is called. */
  refuseConnections(): Promise<() => Promise<void>>;
  snapshot(): StoreSnapshot;
  /** Goes back to the snapshot as a restored etcd does: older resourceVersions, every watch cut. */
  restore(snapshot: StoreSnapshot): void;
  /** Forgets all past versions: watches and lists that want one get 410. */
  compact(): void;
};

const standard = {
  clock: systemClock as Clock,
  tokens: {},
  nodes: threeNodes,
  bundles: ["gateway-api", "envoy-gateway"] as readonly Bundle[],
  hasGatewayController: true,
  hasMetricsServer: true,
  latencyMs: 0,
  isSecure: false,
  eventsKept: 20_000,
  random: Math.random,
};

/** Opens a Kubernetes cluster of its own with an API server on a free port of loopback. */
export async function openFakeKubernetes(options: FakeKubernetesOptions = {}): Promise<FakeKubernetes> {
  await using stack = new AsyncDisposableStack();
  const settings = { ...standard, ...options };
  const { clock, hasGatewayController } = settings;
  const cluster = openCluster({ ...settings, clock: stack.use(closableClock(clock)) });
  const scripts = openScripts();
  const kubelet = openKubelet(scripts);
  const runtime = stack.use(
    runControllers(allControllers({ store: cluster.store, kubelet, hasGatewayController }), cluster),
  );
  furnishCluster(cluster, settings);
  await runtime.settle();
  scripts.onChange(() => wake(cluster));
  const tls = settings.isSecure
    ? selfSignedCertificate("a fake Kubernetes", new Date(Date.now() - 60_000), ["127.0.0.1"])
    : undefined;
  const faults = openFaultBook();
  const requests = openRequestBook();
  const door = stack.use(await openDoor({ cluster, faults, requests, tls, latencyMs: settings.latencyMs }));
  const disposable = stack.move();
  return {
    url: door.url,
    certificate: tls?.certificate,
    clock,
    cluster,
    client: clientOf(cluster),
    kubeconfig: (token = "admin") => kubeconfigText(door.url, token, tls?.certificate),
    pods: podHands(cluster, scripts),
    nodes: nodeHands(cluster),
    metrics: cluster.metrics,
    faults,
    requests,
    settle: () => runtime.settle(),
    advance: (ms) => advance(clock, ms, runtime),
    pause: (...names) => runtime.pause(...names),
    cutWatches: () => door.cut(),
    refuseConnections: () => door.refuse(),
    snapshot: () => cluster.store.snapshot(),
    restore: (snapshot) => {
      restore(snapshot, cluster, kubelet);
      door.cut();
    },
    compact: () => cluster.store.history.compact(cluster.store.revision()),
    [Symbol.asyncDispose]: () => disposable.disposeAsync(),
  };
}
