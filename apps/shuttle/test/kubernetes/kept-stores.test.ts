import { kubernetesDesiredStore } from "../../src/adapters/kubernetes/kept/desired-store.ts";
import { keptLabel, keptSecrets } from "../../src/adapters/kubernetes/kept/kept-secrets.ts";
import { kubernetesOverrideStore } from "../../src/adapters/kubernetes/kept/override-store.ts";
import { watchKept } from "../../src/adapters/kubernetes/kept/watch-kept.ts";
import { keptStoresContract } from "../kept-stores.contract.ts";
import { kinds, openKubeRig } from "./cluster-rig.ts";

const secret = { apiVersion: "v1", kind: "Secret" } as const;

keptStoresContract("a Kubernetes cluster", async () => {
  await using stack = new AsyncDisposableStack();
  const rig = stack.use(await openKubeRig());
  const { api } = rig;
  const { namespace } = rig.project();
  await api.create({ ...kinds.namespace, metadata: { name: namespace } });
  const other = stack.use(await rig.connect());
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
