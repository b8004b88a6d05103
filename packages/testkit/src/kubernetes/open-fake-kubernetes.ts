import { randomUUID } from "node:crypto";
import { admin, type User } from "./access/users.ts";
import { namespaceLifecycle } from "./admission/namespace-lifecycle.ts";
import { systemClock, type Clock } from "./clock.ts";
import type { Cluster } from "./cluster.ts";
import { listen } from "./http/server.ts";
import { openRegistry } from "./kinds/registry.ts";
import { bundledDefinitions } from "./schema/load-schemas.ts";
import { openStore } from "./store/store.ts";
import { clientOf, type InProcessClient } from "./in-process-client.ts";

export type FakeKubernetesOptions = {
  /** The cluster's time; the machine's by default. A `steppedClock` stands still until it is moved. */
  readonly clock?: Clock;
  /** Who sends which token, besides the administrator's `admin`. */
  readonly tokens?: Readonly<Record<string, User>>;
  /** Custom resource definitions that are there from the start; both by default. */
  readonly definitions?: readonly ("gateway-api" | "envoy-gateway")[];
};

export type FakeKubernetes = AsyncDisposable & {
  readonly url: string;
  readonly clock: Clock;
  /** The text of a kubeconfig for the user of a token; the administrator's by default. */
  kubeconfig(token?: string): string;
  /** Calls on the cluster without HTTP, as an administrator: for tests that set up or look. */
  readonly client: InProcessClient;
  readonly cluster: Cluster;
};

/** Opens a Kubernetes API server of its own, empty but for its default namespaces, on a free port of loopback. */
export async function openFakeKubernetes(options: FakeKubernetesOptions = {}): Promise<FakeKubernetes> {
  const cluster = openCluster(options);
  const tokens = new Map(Object.entries({ admin, ...options.tokens }));
  const { server, url } = await listen({
    cluster,
    userOf: (token) => (token === undefined ? undefined : tokens.get(token)),
  });
  return {
    url,
    clock: cluster.clock,
    cluster,
    client: clientOf(cluster),
    kubeconfig: (token = "admin") => kubeconfig(url, token),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function openCluster({ clock = systemClock, definitions }: FakeKubernetesOptions): Cluster {
  let addresses = 0;
  let ports = 0;
  const cluster: Cluster = {
    store: openStore({ eventsKept: 20_000, firstRevision: 1 }),
    registry: openRegistry(),
    clock,
    uid: randomUUID,
    admission: [namespaceLifecycle],
    context: {
      now: () => clock.now(),
      random: Math.random,
      allocateAddress: () => {
        addresses += 1;
        return `10.96.${addresses >> 8}.${addresses & 255}`;
      },
      allocateNodePort: () => 30_000 + (ports++ % 2768),
    },
  };
  const client = clientOf(cluster);
  for (const name of ["default", "kube-system", "kube-public", "kube-node-lease"])
    client.create({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
  for (const bundle of definitions ?? (["gateway-api", "envoy-gateway"] as const))
    for (const definition of bundledDefinitions(bundle)) cluster.registry.define(client.create(definition));
  return cluster;
}

/** JSON is YAML. */
const kubeconfig = (server: string, token: string): string =>
  JSON.stringify(
    {
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "fake", cluster: { server } }],
      users: [{ name: token, user: { token } }],
      contexts: [{ name: "fake", context: { cluster: "fake", user: token } }],
      "current-context": "fake",
    },
    undefined,
    2,
  );
