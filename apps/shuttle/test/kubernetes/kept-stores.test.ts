import { kubernetesDesiredStore } from "../../src/adapters/kubernetes/kept/desired-store.ts";
import { keptLabel, keptSecrets } from "../../src/adapters/kubernetes/kept/kept-secrets.ts";
import { kubernetesOverrideStore } from "../../src/adapters/kubernetes/kept/override-store.ts";
import { watchKept } from "../../src/adapters/kubernetes/kept/watch-kept.ts";
import { anOverride, keptStoresContract } from "../kept-stores.contract.ts";
import { expect, test } from "vitest";
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

test("an override that somebody writes while an earlier one of the service is forgotten is kept", async () => {
  await using rig = await openKubeRig();
  const { namespace } = rig.project();
  await rig.api.create({ ...kinds.namespace, metadata: { name: namespace } });
  const secrets = keptSecrets(rig.api, namespace, "overrides");
  const never = { [Symbol.asyncDispose]: async () => undefined };
  const overrides = kubernetesOverrideStore(secrets, () => never);
  const held = anOverride();
  const anew = { ...held, at: "2026-11-29T09:00:00.000Z" };
  await overrides.put(held);
  const overtaken = async () => {
    const seen = await secrets.list();
    await overrides.put(anew);
    return seen;
  };
  await kubernetesOverrideStore({ ...secrets, list: overtaken }, () => never).remove(held);
  expect(await overrides.list()).toEqual({ overrides: [anew], spoiled: [] });
});
