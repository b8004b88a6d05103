import type { User } from "./access/users.ts";
import { closableClock, systemClock, type Clock, type SteppedClock } from "./clock.ts";
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
import { furnishCluster, openCluster, type Bundle } from "./open-cluster.ts";
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
  /** Every answer waits that long, in milliseconds of the machine. */
  readonly latencyMs?: number;
  /** How many writes a watch can look back; 20,000 by default. */
  readonly eventsKept?: number;
  /** Where names come from; `Math.random` by default. */
  readonly random?: () => number;
};

export type FakeKubernetes = AsyncDisposable & {
  readonly url: string;
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

/** Opens a Kubernetes cluster of its own with an API server on a free port of loopback. */
export async function openFakeKubernetes(options: FakeKubernetesOptions = {}): Promise<FakeKubernetes> {
  await using stack = new AsyncDisposableStack();
  const {
    clock = systemClock,
    tokens = {},
    nodes = threeNodes,
    bundles = ["gateway-api", "envoy-gateway"],
  } = options;
  const { eventsKept = 20_000, random = Math.random, latencyMs = 0, hasGatewayController = true } = options;
  const cluster = openCluster({ clock: stack.use(closableClock(clock)), tokens, eventsKept, random });
  const scripts = openScripts();
  const kubelet = openKubelet(scripts);
  const runtime = stack.use(
    runControllers(allControllers({ store: cluster.store, kubelet, hasGatewayController }), cluster),
  );
  furnishCluster(cluster, { nodes, bundles });
  await runtime.settle();
  scripts.onChange(() => wake(cluster));
  const faults = openFaultBook();
  const requests = openRequestBook();
  const door = stack.use(await openDoor({ cluster, faults, requests, latencyMs }));
  const disposable = stack.move();
  return {
    url: door.url,
    clock,
    cluster,
    client: clientOf(cluster),
    kubeconfig: (token = "admin") => kubeconfigText(door.url, token),
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

const isStepped = (clock: Clock): clock is SteppedClock => "moveTo" in clock;

async function advance(clock: Clock, ms: number, runtime: Runtime): Promise<void> {
  if (!isStepped(clock)) throw new Error("only a steppedClock can be moved: open the cluster with one");
  const end = new Date(clock.now().getTime() + ms);
  await runtime.settle();
  for (let next = clock.next(); next && next <= end; next = clock.next()) {
    clock.moveTo(next);
    await runtime.settle();
  }
  clock.moveTo(end);
  await runtime.settle();
}
