import { systemClock } from "../clock.ts";
import { runControllers } from "../controllers/runtime.ts";
import { openScripts } from "../kubelet/behaviour.ts";
import { openKubelet } from "../kubelet/kubelet.ts";
import { podHands, type PodHands } from "../kubelet/pod-hands.ts";
import type { JsonObject } from "../model/json.ts";
import { nodeConditions, nodeObject, threeNodes, type NodeSize } from "../nodes/fake-nodes.ts";
import { openCluster } from "../open-cluster.ts";
import { wake } from "../restore.ts";
import { mirror } from "./mirror.ts";
import type { NodeServer } from "./node-server.ts";
import { openOutbox, remoteActor, sendEvents } from "./remote-actor.ts";
import { serveLogs } from "./serve-logs.ts";

export type StandInNodesOptions = {
  readonly nodes?: readonly NodeSize[];
  /** A sentence for each write that the server refused. */
  readonly warn?: (sentence: string) => void;
};
export type StandInNodes = AsyncDisposable & { readonly pods: Pick<PodHands, "script" | "say"> };

/** As kubelets do; the node controller waits 50 s for the next one. */
const renewEveryMs = 10_000;

/**
 * Nodes for an API server that has none: registers them, runs what the scheduler places on them as scripts say, and
 * removes them at the end. No container runs and there is no network; the server's own controllers do the rest.
 */
export async function openStandInNodes(
  server: NodeServer,
  { nodes = threeNodes, warn = () => undefined }: StandInNodesOptions = {},
): Promise<StandInNodes> {
  await using stack = new AsyncDisposableStack();
  const ending = new AbortController();
  const cluster = openCluster({ clock: systemClock, tokens: {}, eventsKept: 1_000, random: Math.random });
  const scripts = openScripts();
  const failed = (error: unknown): void => {
    // What is gone by now needs no word.
    const isGone = (error as { status?: number }).status === 404;
    if (!isGone) warn(`the API server refused a node's word: ${String(error)}`);
  };
  const outbox = openOutbox(failed);
  const logs = stack.use(await serveLogs(cluster));

  const lease = (name: string) => ({
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    namespace: "kube-node-lease",
    name,
  });
  const registered: string[] = [];
  const renew = (): void => {
    const renewTime = new Date().toISOString().replace("Z", "000Z");
    // Not behind what waits to be told of pods: a node that is late with it is one that is gone.
    for (const name of registered) {
      void server.patch(lease(name), { spec: { renewTime } }).catch(failed);
      if (isGivenUp(cluster, name)) void server.patch(statusOf(name), readiness()).catch(failed);
    }
  };
  // From the first on: to register many takes longer than the node controller waits.
  const timer = setInterval(renew, renewEveryMs);
  stack.defer(() => clearInterval(timer));
  for (const [index, size] of nodes.entries()) {
    await server.create(ownNode(size, index, logs.port) as never);
    stack.defer(async () => void (await server.delete({ apiVersion: "v1", kind: "Node", name: size.name })));
    const { apiVersion, kind, ...metadata } = lease(size.name);
    const spec = { holderIdentity: size.name, leaseDurationSeconds: 40 };
    await server.create({ apiVersion, kind, metadata, spec } as never).catch(() => undefined);
    registered.push(size.name);
  }
  renew();

  const runtime = runControllers([openKubelet(scripts).controller], cluster, remoteActor(server, outbox));
  stack.defer(sendEvents(server, cluster, outbox));
  scripts.onChange(() => wake(cluster));
  await mirror({ server, cluster, nodes: new Set(nodes.map(({ name }) => name)) }, ending.signal);
  const opened = stack.move();
  const { script, say } = podHands(cluster, scripts);
  return {
    pods: { script, say },
    async [Symbol.asyncDispose]() {
      ending.abort();
      await runtime[Symbol.asyncDispose]();
      await outbox.emptied();
      await opened.disposeAsync();
    },
  };
}

/** Whether the node controller has: its lease alone does not bring it back, as its kubelet has to say that it is ready. */
const isGivenUp = ({ store }: ReturnType<typeof openCluster>, name: string): boolean =>
  store
    .list("nodes")
    .some(
      ({ metadata, status }) =>
        metadata.name === name &&
        ((status as { conditions?: readonly JsonObject[] } | undefined)?.conditions ?? []).some(
          (condition) => condition["type"] === "Ready" && condition["status"] !== "True",
        ),
    );

const statusOf = (name: string) => ({ apiVersion: "v1", kind: "Node", name, subresource: "status" });
const readiness = () => ({ status: { conditions: nodeConditions(new Date()) } });

/** A node whose kubelet answers on this machine. */
function ownNode(size: NodeSize, index: number, port: number): JsonObject {
  const node = nodeObject(size, index, new Date());
  return {
    ...node,
    status: {
      ...(node["status"] as JsonObject),
      // A server looks up a host name first, and nobody knows this one.
      addresses: [{ type: "InternalIP", address: "127.0.0.1" }],
      daemonEndpoints: { kubeletEndpoint: { Port: port } },
    },
  };
}
