import { openKubeApi } from "@starform/kubernetes/open-kube-api";
import { openFakeKubernetes } from "@starform/testkit/kubernetes/open-fake-kubernetes";
import { kubernetesDesiredStore } from "../../src/adapters/kubernetes/kept/desired-store.ts";
import { keptLabel, keptSecrets } from "../../src/adapters/kubernetes/kept/kept-secrets.ts";
import { kubernetesOverrideStore } from "../../src/adapters/kubernetes/kept/override-store.ts";
import { watchKept } from "../../src/adapters/kubernetes/kept/watch-kept.ts";
import { keptStoresContract } from "../kept-stores.contract.ts";

const namespace = "starform-system";
const secret = { apiVersion: "v1", kind: "Secret" } as const;

keptStoresContract("a Kubernetes cluster", async () => {
  await using stack = new AsyncDisposableStack();
  const fake = stack.use(await openFakeKubernetes());
  const open = async () => stack.use(await openKubeApi({ kubeconfig: fake.kubeconfig() }));
  const api = await open();
  await api.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
  const other = await open();
  const opened = stack.move();
  return {
    open: () => ({
      desired: kubernetesDesiredStore(keptSecrets(api, namespace, "desired-state")),
      overrides: kubernetesOverrideStore(
        keptSecrets(other, namespace, "overrides"),
        watchKept(other, namespace, "overrides", () => undefined),
      ),
    }),
    async spoilNewest() {
      const { items } = await api.list(secret, {
        namespace,
        labelSelector: `${keptLabel}=desired-state`,
      });
      const newest = items
        .map((item) => item.metadata.name)
        .sort()
        .at(-1)!;
      await api.patch(
        { ...secret, namespace, name: newest },
        { data: { body: Buffer.from("no archive").toString("base64") } },
      );
    },
    async spoilOverrides() {
      await api.create({
        ...secret,
        metadata: { name: "shuttle-override-broken", namespace, labels: { [keptLabel]: "overrides" } },
        data: { override: Buffer.from("{").toString("base64") },
      });
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
});
