import type { KubeApi, KubeObject } from "@starform/kubernetes/kube-api";
import { openInformer, storeKey, type Informer } from "@starform/kubernetes/informer";
import type { FakeKubernetes } from "@starform/testkit/kubernetes/open-fake-kubernetes";
import { managedBySelector } from "../../src/adapters/kubernetes/manifests/labels.ts";

/** What a visitor's request meets on its way. */
const seenKinds = {
  httproutes: { apiVersion: "gateway.networking.k8s.io/v1", kind: "HTTPRoute" },
  endpointslices: { apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice" },
  pods: { apiVersion: "v1", kind: "Pod" },
  configmaps: { apiVersion: "v1", kind: "ConfigMap" },
  secrets: { apiVersion: "v1", kind: "Secret" },
} as const;
type Resource = keyof typeof seenKinds;
type Change = {
  readonly resource: Resource;
  readonly object: KubeObject | undefined;
  readonly previous: KubeObject | undefined;
};

/** The objects of a cluster as somebody beside Shuttle sees them, at once. */
export type SeenObjects = AsyncDisposable & {
  list(resource: Resource, namespace?: string): readonly KubeObject[];
  get(resource: Resource, namespace: string, name: string): KubeObject | undefined;
  onChange(listener: (change: Change) => void): void;
};

/** Of the fake cluster: its own store. */
export function seenInStore({ cluster: { store } }: FakeKubernetes): SeenObjects {
  const nameOf = (resource: Resource): string => {
    const [group = "", version] = seenKinds[resource].apiVersion.split("/");
    return version === undefined ? resource : `${resource}.${group}`;
  };
  const resourceOf = new Map((Object.keys(seenKinds) as Resource[]).map((each) => [nameOf(each), each]));
  return {
    list: (resource, namespace) => store.list(nameOf(resource), namespace) as readonly KubeObject[],
    get: (...[resource, namespace, name]) =>
      store.get(nameOf(resource), namespace, name) as KubeObject | undefined,
    onChange: (listener) =>
      void store.onEvent((event) => {
        const resource = resourceOf.get(event.resource);
        const [object, previous] = [event.object, event.previous] as (KubeObject | undefined)[];
        if (resource) listener({ resource, object, previous });
      }),
    [Symbol.asyncDispose]: async () => undefined,
  };
}

/** Of any other: what its watches tell. */
export async function seenByWatch(api: KubeApi): Promise<SeenObjects> {
  await using stack = new AsyncDisposableStack();
  const listeners: ((change: Change) => void)[] = [];
  const informers = new Map<Resource, Informer<KubeObject>>();
  for (const [resource, kind] of Object.entries(seenKinds) as [Resource, (typeof seenKinds)[Resource]][]) {
    const informer = openInformer<KubeObject>(api, {
      resource,
      kind,
      selection: { labelSelector: managedBySelector },
      trim: (object) => object,
      changed: (object, previous) => {
        for (const listener of listeners) listener({ resource, object, previous });
      },
      warn: (sentence) => console.warn(sentence),
    });
    informers.set(resource, stack.use(informer));
    await informer.synced();
  }
  const opened = stack.move();
  return {
    list: (resource, namespace) =>
      [...informers.get(resource)!.values()].filter(
        ({ metadata }) => namespace === undefined || metadata.namespace === namespace,
      ),
    get: (resource, namespace, name) => informers.get(resource)!.get(storeKey(namespace, name)),
    onChange: (listener) => void listeners.push(listener),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
