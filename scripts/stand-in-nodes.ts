import { once } from "node:events";
import { openKubeApi } from "@starform/kubernetes/open-kube-api";
import { openStandInNodes } from "@starform/testkit/kubernetes/stand-in/open-stand-in-nodes";

/**
 * Gives the API server of `KUBECONFIG` nodes that stand in, until it is told to end: `node scripts/run.mjs
 * scripts/stand-in-nodes.ts [number]`. Pods become ready at once and run nothing.
 */
const kubeconfigFile = process.env["KUBECONFIG"];
if (!kubeconfigFile) throw new Error("KUBECONFIG says which server is to have nodes");
const count = Number(process.argv[2] ?? 3);
await using api = await openKubeApi({ kubeconfigFile });
const nodes = Array.from({ length: count }, (_, at) => ({
  name: `stand-in-${at + 1}`,
  cpu: "64",
  memory: "256Gi",
}));
await using _running = await openStandInNodes(api, { nodes, warn: (sentence) => console.warn(sentence) });
console.log(`${count} nodes stand in`);
await Promise.race(["SIGINT", "SIGTERM"].map((signal) => once(process, signal)));
