import type { KubeApi } from "@starform/kubernetes/kube-api";
import { openKubeApi } from "@starform/kubernetes/open-kube-api";
import { steppedClock } from "@starform/testkit/kubernetes/clock";
import {
  openFakeKubernetes,
  type FakeKubernetes,
  type FakeKubernetesOptions,
} from "@starform/testkit/kubernetes/open-fake-kubernetes";
import { bootstrapCluster, type BootstrapEvent } from "../src/bootstrap.ts";
import { readFacts } from "../src/cluster-facts.ts";
import type { ClusterParameters } from "../src/parameters.ts";
import { patientKube, type Patience } from "../src/patience.ts";
import { preflight } from "../src/preflight.ts";
import { parameters } from "./samples.ts";

export type Rig = AsyncDisposable & {
  readonly fake: FakeKubernetes;
  readonly kube: KubeApi;
  /** Moves the cluster's clock on by a second for each look. */
  readonly patience: Patience;
  /** As a person would: facts, preflight, bootstrap. Answers how much changed, and tells of each event. */
  bootstrap(
    own?: Partial<ClusterParameters>,
    options?: {
      readonly events?: BootstrapEvent[];
      readonly signal?: AbortSignal;
      readonly stepTimeoutMs?: number;
    },
  ): Promise<number>;
};

/** An empty cluster with a clock of its own. The certificate Job of Envoy Gateway does what its program would. */
export async function openRig(options: FakeKubernetesOptions = {}): Promise<Rig> {
  const clock = steppedClock(new Date("2026-11-29T12:00:00Z"));
  const fake = await openFakeKubernetes({
    clock,
    bundles: [],
    hasMetricsServer: false,
    ...options,
  });
  const certificates = () => {
    const namespace = "envoy-gateway-system";
    if (fake.client.list("v1", "Secret", namespace).some(({ metadata }) => metadata.name === "envoy-gateway"))
      return;
    if (fake.client.list("batch/v1", "Job", namespace).length === 0) return;
    for (const name of ["envoy-gateway", "envoy", "envoy-rate-limit", "envoy-oidc-hmac"])
      fake.client.create({ apiVersion: "v1", kind: "Secret", metadata: { name, namespace } });
  };
  const patience: Patience = {
    now: () => clock.now().getTime(),
    pause: async () => {
      certificates();
      await fake.advance(1_000);
    },
  };
  const kube = patientKube(await openKubeApi({ kubeconfig: fake.kubeconfig() }), patience);
  return {
    fake,
    kube,
    patience,
    async bootstrap(own = {}, { events = [], signal, stepTimeoutMs = 300_000 } = {}) {
      const facts = await readFacts(kube, signal);
      await preflight(kube, facts, signal);
      const deps = {
        kube,
        patience,
        stepTimeoutMs,
        tell: (event: BootstrapEvent) => void events.push(event),
      };
      return bootstrapCluster(deps, parameters(own), facts, signal);
    },
    async [Symbol.asyncDispose]() {
      await kube[Symbol.asyncDispose]();
      await fake[Symbol.asyncDispose]();
    },
  };
}

/** Every object a bootstrap has to do with, by name, with its version and what it wants. */
export function stateOf({
  fake,
}: Rig): ReadonlyMap<string, { readonly version: string; readonly wants: string }> {
  const kinds = [
    ["v1", "Namespace"],
    ["v1", "ServiceAccount"],
    ["v1", "Service"],
    ["v1", "ConfigMap"],
    ["v1", "Secret"],
    ["v1", "PersistentVolumeClaim"],
    ["apps/v1", "Deployment"],
    ["apps/v1", "DaemonSet"],
    ["batch/v1", "Job"],
    ["policy/v1", "PodDisruptionBudget"],
    ["networking.k8s.io/v1", "NetworkPolicy"],
    ["rbac.authorization.k8s.io/v1", "Role"],
    ["rbac.authorization.k8s.io/v1", "RoleBinding"],
    ["rbac.authorization.k8s.io/v1", "ClusterRole"],
    ["rbac.authorization.k8s.io/v1", "ClusterRoleBinding"],
    ["apiextensions.k8s.io/v1", "CustomResourceDefinition"],
    ["apiregistration.k8s.io/v1", "APIService"],
  ] as const;
  const objects = kinds.flatMap(([apiVersion, kind]) => fake.client.list(apiVersion, kind));
  return new Map(
    objects.map((object) => {
      const { metadata, status: _status, ...rest } = object as typeof object & { status?: unknown };
      const { name, namespace = "", labels = {}, resourceVersion = "" } = metadata;
      return [
        `${object.kind}/${namespace}/${name}`,
        { version: resourceVersion, wants: JSON.stringify([labels, rest]) },
      ];
    }),
  );
}
