import { openFakeKubernetes } from "@starform/testkit/kubernetes/open-fake-kubernetes";

/** A fake cluster in a process of its own, so that its work is not Shuttle's. Commands come as messages. */
const nodes = Array.from({ length: 60 }, (_, at) => ({ name: `node-${at}`, cpu: "64", memory: "256Gi" }));
const fake = await openFakeKubernetes({ nodes, isSecure: true });
const writes = { verb: "patch,create,update,delete" };
let resume: (() => void) | undefined;
process.on("message", ({ command, resource }: { command: string; resource: string }) => {
  if (command === "pause") resume = fake.pause();
  if (command === "resume") resume?.();
  process.send!(
    command === "objects" ? fake.cluster.store.list(resource).length : fake.requests.count(writes),
  );
});
process.on("disconnect", () => process.exit(0));
process.send!({ url: fake.url, kubeconfig: fake.kubeconfig() });
