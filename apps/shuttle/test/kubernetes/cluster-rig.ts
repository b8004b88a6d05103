import { randomUUID } from "node:crypto";
import type { DesiredService, StatusReport } from "@starform/contract/clusters";
import type { KubeApi, KubeObject, KindRef } from "@starform/kubernetes/kube-api";
import { openKubeApi } from "@starform/kubernetes/open-kube-api";
import { isKubeError } from "@starform/kubernetes/kube-error";
import { until } from "@starform/std/retry";
import {
  openFakeKubernetes,
  type FakeKubernetes,
  type FakeKubernetesOptions,
} from "@starform/testkit/kubernetes/open-fake-kubernetes";
import type { PodHands } from "@starform/testkit/kubernetes/kubelet/pod-hands";
import { bundledDefinitions } from "@starform/testkit/kubernetes/schema/load-schemas";
import { openStandInNodes } from "@starform/testkit/kubernetes/stand-in/open-stand-in-nodes";
import {
  openKubernetesCluster,
  type KubernetesClusterOptions,
} from "../../src/adapters/kubernetes/kubernetes-cluster.ts";
import { plainContext, type ManifestContext } from "../../src/adapters/kubernetes/manifests/context.ts";
import { gatewayNamespace } from "../../src/adapters/kubernetes/manifests/names.ts";
import type { Cluster } from "../../src/core/cluster.ts";
import { keyOf } from "../../src/core/service-key.ts";
import { driven } from "../cluster.contract.ts";
import { aService } from "../desired.ts";
import { fastClock } from "./fast-clock.ts";
import { seenByWatch, seenInStore } from "./seen-objects.ts";

export const kinds = {
  namespace: { apiVersion: "v1", kind: "Namespace" },
  deployment: { apiVersion: "apps/v1", kind: "Deployment" },
  replicaSet: { apiVersion: "apps/v1", kind: "ReplicaSet" },
  pod: { apiVersion: "v1", kind: "Pod" },
  configMap: { apiVersion: "v1", kind: "ConfigMap" },
  secret: { apiVersion: "v1", kind: "Secret" },
  service: { apiVersion: "v1", kind: "Service" },
  claim: { apiVersion: "v1", kind: "PersistentVolumeClaim" },
  route: { apiVersion: "gateway.networking.k8s.io/v1", kind: "HTTPRoute" },
  policy: { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy" },
  scaler: { apiVersion: "autoscaling/v2", kind: "HorizontalPodAutoscaler" },
  cronJob: { apiVersion: "batch/v1", kind: "CronJob" },
  job: { apiVersion: "batch/v1", kind: "Job" },
} as const satisfies Record<string, KindRef>;

/** What was written, as `apply Deployment svc-1`, in its order. */
export type Writes = string[];

/** The API with every write noted down. */
export function noting(api: KubeApi, writes: Writes): KubeApi {
  const note = (verb: string, { kind, name }: { kind: string; name: string }) =>
    void writes.push(`${verb} ${kind} ${name}`);
  return {
    ...api,
    apply: (object, ...rest) => {
      note("apply", { kind: object.kind, name: object.metadata.name });
      return api.apply(object, ...rest);
    },
    create: (object, ...rest) => {
      note("create", { kind: object.kind, name: object.metadata.name });
      return api.create(object, ...rest);
    },
    patch: (ref, ...rest) => {
      note("patch", ref);
      return api.patch(ref, ...rest);
    },
    delete: (ref, ...rest) => {
      note("delete", ref);
      return api.delete(ref, ...rest);
    },
    // The rig owns the connection: a Shuttle that ends must not take it along.
    [Symbol.asyncDispose]: async () => undefined,
  };
}

export type KubeRig = Awaited<ReturnType<typeof openKubeRig>>;

export type KubeRigOptions = FakeKubernetesOptions & {
  /** The fake server, whatever there is: for what only it can do. */
  readonly isFake?: true;
  /** Pods do what they are told by `rig.pods`; a real server gets nodes for it, for which such rigs run one after the other. */
  readonly scriptsPods?: true;
  /** How much faster than ours the time of the fake cluster is; that of a real one is ours. */
  readonly speed?: number;
};

/** An API server: the fake one, or that of `TEST_KUBECONFIG`. Every project of a rig has a namespace of its own, removed at the end. */
export async function openKubeRig({ isFake, scriptsPods, speed = 1, ...options }: KubeRigOptions = {}) {
  await using stack = new AsyncDisposableStack();
  const kubeconfigFile = isFake ? undefined : process.env["TEST_KUBECONFIG"];
  const fake: FakeKubernetes | undefined = kubeconfigFile
    ? undefined
    : stack.use(await openFakeKubernetes({ ...(speed > 1 && { clock: fastClock(speed) }), ...options }));
  const connect = () => openKubeApi(kubeconfigFile ? { kubeconfigFile } : { kubeconfig: fake!.kubeconfig() });
  const api = stack.use(await connect());
  if (kubeconfigFile) await serveCustomKinds(api);
  const warn = (sentence: string): void => console.warn(sentence);
  // Names of their own: those of a run that was killed are still there.
  const own = randomUUID().slice(0, 8);
  const three = ["1", "2", "3"].map((at) => ({ name: `stand-in-${own}-${at}` }));
  const nodes =
    kubeconfigFile && scriptsPods
      ? stack.use(await openStandInNodes(stack.use(await connect()), { nodes: three, warn }))
      : undefined;
  let clusterId = randomUUID();
  const namespaces = new Set<string>();
  if (kubeconfigFile)
    stack.defer(async () => {
      for (const name of namespaces) await api.delete({ ...kinds.namespace, name }).catch(() => undefined);
    });
  const opened = stack.move();
  const rig = {
    api,
    /** Another connection of the same administrator. */
    connect,
    get clusterId() {
      return clusterId;
    },
    /** From here on another cluster's Shuttle: what was made before is none of its business. */
    newCluster: (): void => void (clusterId = randomUUID()),
    /** The fake server, for what only it can do; undefined against a real one. */
    fake,
    /** How much faster than ours the cluster's time is. */
    speed: fake ? speed : 1,
    nowMs: (): number => (fake ? fake.clock.now().getTime() : Date.now()),
    /** What pods of a rig that scripts them do. */
    get pods(): Pick<PodHands, "script"> {
      const hands = nodes?.pods ?? fake?.pods;
      if (!hands) throw new Error("a rig says scriptsPods before it does");
      return hands;
    },
    /** What there is, as somebody beside Shuttle sees it. */
    seen: () => (fake ? seenInStore(fake) : seenByWatch(api)),
    /** The namespace is removed at the end. */
    owns: (namespace: string): void => void namespaces.add(namespace),
    /** A project of its own: what its services have in common. */
    project(): Pick<DesiredService, "workspace_id" | "project_id" | "project_slug" | "namespace"> {
      const slug = `t-${randomUUID().slice(0, 12)}`;
      namespaces.add(`proj-${slug}`);
      return {
        workspace_id: randomUUID(),
        project_id: randomUUID(),
        project_slug: slug,
        namespace: `proj-${slug}`,
      };
    },
    /** The namespace of the shared Gateway, which the bootstrap makes. */
    async gatewayNamespace(): Promise<string> {
      const metadata = { name: gatewayNamespace };
      await api.create({ ...kinds.namespace, metadata }).catch((error: unknown) => {
        if (!isKubeError(error, 409)) throw error;
      });
      return gatewayNamespace;
    },
    service: (own: Partial<DesiredService> = {}): DesiredService =>
      aService({ image: `registry.example.com/shop/web@sha256:${"d".repeat(64)}`, ...rig.project(), ...own }),
    /** A Shuttle's cluster over the server, with what it wrote. */
    async shuttle(
      own: Partial<KubernetesClusterOptions> & { context?: ManifestContext; writes?: Writes } = {},
    ) {
      await using opening = new AsyncDisposableStack();
      // A connection of its own, as it has in a cluster: watches of many would use up the sockets of one.
      const itsApi = own.api ?? (fake ? api : opening.use(await connect()));
      const writes = own.writes ?? [];
      const warned: string[] = [];
      const cluster: Cluster = await openKubernetesCluster({
        context: plainContext(clusterId),
        nowMs: rig.nowMs,
        warn: (sentence) => void warned.push(sentence),
        ...own,
        api: noting(itsApi, writes),
      });
      const hand = driven(cluster);
      const opened = opening.move();
      return {
        cluster,
        hand,
        writes,
        warned,
        report: (service: DesiredService): StatusReport | undefined => cluster.observe(keyOf(service)),
        async [Symbol.asyncDispose]() {
          await hand[Symbol.asyncDispose]();
          await cluster[Symbol.asyncDispose]();
          await opened.disposeAsync();
        },
      };
    },
    /** All objects of a kind in the project's namespace. */
    async of(kind: KindRef, { namespace }: { namespace: string }): Promise<readonly KubeObject[]> {
      return (await api.list(kind, { namespace })).items;
    },
    /** The only object of a kind in the project's namespace, once there is one. */
    theOnly: (kind: KindRef, place: { namespace: string }): Promise<KubeObject> =>
      until(`there is one ${kind.kind}`, async () => {
        const items = await rig.of(kind, place);
        return items.length === 1 && items[0];
      }),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
  return rig;
}

/** A server without our kinds is given the definitions that the bootstrap brings; they stay. */
async function serveCustomKinds(api: KubeApi): Promise<void> {
  for (const [bundle, kind] of [
    ["gateway-api", kinds.route],
    ["envoy-gateway", { apiVersion: "gateway.envoyproxy.io/v1alpha1", kind: "EnvoyProxy" }],
  ] as const) {
    if (await api.serves(kind)) continue;
    for (const definition of bundledDefinitions(bundle))
      await api.apply(definition as unknown as KubeObject, { fieldManager: "starform", force: true });
    await until(`${kind.kind} is served`, () => api.serves(kind), { withinMs: 60_000, everyMs: 500 });
  }
}

export type RunningShuttle = Awaited<ReturnType<KubeRig["shuttle"]>>;

/** Waits until a Shuttle has nothing left to write: no write for as long as its informers take to tell one. */
export async function settled(shuttle: RunningShuttle, service: DesiredService): Promise<void> {
  let [count, sinceMs] = [-1, 0];
  await until("nothing is written any more", () => {
    if (count !== shuttle.writes.length) [count, sinceMs] = [shuttle.writes.length, performance.now()];
    return performance.now() - sinceMs > 400 && shuttle.report(service) !== undefined && count > 0;
  });
}
