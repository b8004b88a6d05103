import { randomUUID } from "node:crypto";
import type { KubeObject } from "@starform/kubernetes/kube-api";
import { until } from "@starform/std/retry";
import { openStandInNodes } from "@starform/testkit/kubernetes/stand-in/open-stand-in-nodes";
import { expect, test } from "vitest";
import { kinds, openKubeRig } from "./cluster-rig.ts";

test("a server without nodes gets some that run pods as they are told, and lets them go", async () => {
  await using rig = await openKubeRig({ nodes: [] });
  // The fake has kubelets of its own.
  rig.fake?.pause("kubelet");
  const name = `stand-in-${randomUUID().slice(0, 8)}`;
  const refused: string[] = [];
  const nodes = await openStandInNodes(rig.api, {
    nodes: [{ name }],
    warn: (sentence) => refused.push(sentence),
  });
  // What a node controller writes that has waited for its kubelet in vain.
  const node = { apiVersion: "v1", kind: "Node", name };
  const givenUp = { type: "Ready", status: "Unknown", reason: "NodeStatusUnknown", message: "" };
  await rig.api.patch({ ...node, subresource: "status" }, { status: { conditions: [givenUp] } });
  const { namespace } = rig.project();
  await rig.api.create({ ...kinds.namespace, metadata: { name: namespace } });
  await rig.api.create({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "app", namespace } });
  const pod = { ...kinds.pod, namespace, name: "p" };
  const elsewhere = { ...pod, name: "elsewhere" };
  nodes.pods.script({ namespace, name: "p" }, { exit: { code: 3, times: 1 }, log: ["Error: no database"] });
  for (const [placed, nodeName] of [
    [elsewhere, `other-${name}`],
    [pod, name],
  ] as const)
    await rig.api.create({
      ...kinds.pod,
      metadata: { name: placed.name, namespace },
      spec: {
        nodeName,
        serviceAccountName: "app",
        automountServiceAccountToken: false,
        containers: [{ name: "app", image: "registry.example.com/web:1" }],
      },
    } as KubeObject);
  const statusOf = async () =>
    (await rig.api.get(pod))?.["status"] as {
      phase: string;
      containerStatuses?: { ready: boolean; restartCount: number; lastState: object }[];
    };
  const [status] = await until("it runs for the second time", async () => {
    const { containerStatuses = [] } = await statusOf();
    return containerStatuses[0]?.ready && containerStatuses[0].restartCount === 1 && containerStatuses;
  });
  expect(status).toMatchObject({ lastState: { terminated: { exitCode: 3 } } });
  // The fake answers for logs itself, and knows nothing of what these nodes ran.
  const log = rig.fake
    ? "Error: no database\n"
    : await rig.api.podLog({ namespace, pod: "p", container: "app", previous: true, tailLines: 9 });
  expect(log).toBe("Error: no database\n");
  const events = await until("it is told", async () => {
    const { items } = await rig.api.list({ apiVersion: "v1", kind: "Event" }, { namespace });
    return items.length >= 4 && items.map(({ reason }) => reason);
  });
  expect(events).toEqual(expect.arrayContaining(["Pulling", "Created", "Started"]));
  // What is placed on another node is none of theirs.
  expect((await rig.api.get(elsewhere))?.["status"]).not.toHaveProperty("containerStatuses");
  await until("the node has said that it is ready", async () => {
    const { conditions } = (await rig.api.get(node))!["status"] as { conditions: { status: string }[] };
    return conditions.length === 4 && conditions.every(({ status }) => status !== "Unknown");
  });
  await rig.api.delete(pod);
  await until("it is gone", async () => !(await rig.api.get(pod)));
  await nodes[Symbol.asyncDispose]();
  expect(await rig.api.get({ apiVersion: "v1", kind: "Node", name })).toBeUndefined();
  expect(refused).toEqual([]);
});
