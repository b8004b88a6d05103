import { openFakeKubernetes } from "./open-fake-kubernetes.ts";
import type { Command } from "./open-fake-process.ts";

/** A fake cluster in a process of its own; commands come as messages, and each is answered by its number. */
const fake = await openFakeKubernetes({ bundles: [], hasMetricsServer: false });

const envoyNamespace = "envoy-gateway-system";
const madeByJob = ["envoy-gateway", "envoy", "envoy-rate-limit", "envoy-oidc-hmac"];
/** The certificate Job of Envoy Gateway does what its program would. */
fake.cluster.store.onEvent(({ object }) => {
  if (object?.kind !== "Job" || object.metadata.namespace !== envoyNamespace) return;
  setImmediate(() => {
    const there = fake.client.list("v1", "Secret", envoyNamespace).map(({ metadata }) => metadata.name);
    for (const name of madeByJob.filter((each) => !there.includes(each)))
      fake.client.create({ apiVersion: "v1", kind: "Secret", metadata: { name, namespace: envoyNamespace } });
  });
});

function obey(command: Command): unknown {
  if (command.do === "list") return fake.client.list(command.apiVersion, command.kind, command.namespace);
  fake.pods.script(command.match, command.behaviour);
  return null;
}

process.on("message", ({ id, command }: { id: number; command: Command }) => {
  try {
    process.send!({ id, answer: obey(command) });
  } catch (error) {
    process.send!({ id, error: String(error) });
  }
});
process.on("disconnect", () => process.exit(0));
process.send!({ kubeconfig: fake.kubeconfig() });
