import { fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { openInformer } from "@starform/kubernetes/informer";
import type { KindRef, KubeApi } from "@starform/kubernetes/kube-api";
import { isKubeError } from "@starform/kubernetes/kube-error";
import { openKubeApi } from "@starform/kubernetes/open-kube-api";
import { until } from "@starform/std/retry";
import { endChild } from "./end-child.ts";
import { standInNodes } from "./stand-in-nodes.ts";

/** An API server to measure against: a fake one in a process of its own, or the real one of `TEST_KUBECONFIG`. */
export type BenchCluster = AsyncDisposable & {
  readonly isFake: boolean;
  readonly kubeconfig: string;
  readonly api: KubeApi;
  /** Until there are as many objects of the kind in the namespaces that begin so. */
  grown(what: KindRef & { readonly resource: string }, prefix: string, wanted: number): Promise<void>;
  /** Writes that the server was asked for; of a real one those by server-side apply. */
  writes(): Promise<number>;
  /** Holds up everything but the server itself, until the answer is called. A real one's controllers go on; its nodes stand in from then. */
  pause(): Promise<() => Promise<void>>;
};

const namespace = { apiVersion: "v1", kind: "Namespace" };
const systemNamespaces = ["starform-system", "envoy-gateway-system"];
const longMs = 900_000;
/** As many as the fake cluster has. */
const nodesCount = 60;

/** `metrics` answers the text of a real server's `/metrics`. */
export async function openBenchCluster(
  metrics: (kubeconfig: string) => Promise<string>,
): Promise<BenchCluster> {
  const file = process.env["TEST_KUBECONFIG"];
  return file ? realCluster(readFileSync(file, "utf8"), metrics) : fakeCluster();
}

async function fakeCluster(): Promise<BenchCluster> {
  const child = fork(join(import.meta.dirname, "fake-cluster.ts"), {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const [{ kubeconfig }] = (await once(child, "message")) as [{ kubeconfig: string }];
  let turn: Promise<unknown> = Promise.resolve();
  const ask = (command: string, resource = ""): Promise<number> => {
    const answered = turn.then(async () => {
      child.send({ command, resource });
      const [answer] = (await once(child, "message")) as [number];
      return answer;
    });
    turn = answered;
    return answered;
  };
  const api = await openKubeApi({ kubeconfig });
  for (const name of systemNamespaces) await api.create({ ...namespace, metadata: { name } });
  return {
    isFake: true,
    kubeconfig,
    api,
    writes: () => ask("writes"),
    async grown({ kind, resource }, _prefix, wanted) {
      const isThere = async () => (await ask("objects", resource)) >= wanted;
      await until(`there are ${wanted} of ${kind}`, isThere, { withinMs: longMs, everyMs: 20 });
    },
    async pause() {
      await ask("pause");
      return async () => void (await ask("resume"));
    },
    async [Symbol.asyncDispose]() {
      await api[Symbol.asyncDispose]();
      await endChild(child);
    },
  };
}

async function realCluster(
  kubeconfig: string,
  metrics: (kubeconfig: string) => Promise<string>,
): Promise<BenchCluster> {
  await using stack = new AsyncDisposableStack();
  const api = stack.use(await openKubeApi({ kubeconfig }));
  const made: string[] = [];
  for (const name of systemNamespaces)
    await api.create({ ...namespace, metadata: { name } }).then(
      () => made.push(name),
      (error: unknown) => {
        if (!isKubeError(error, 409)) throw error;
      },
    );
  const opened = stack.move();
  return {
    isFake: false,
    kubeconfig,
    api,
    async writes() {
      const counts = (await metrics(kubeconfig)).matchAll(
        /^apiserver_request_total\{.*verb="APPLY".*\} (\S+)$/gm,
      );
      return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
    },
    async grown({ apiVersion, kind, resource }, prefix, wanted) {
      // A watch, for to list a thousand takes the server 60 ms, of a time that is measured.
      await using seen = openInformer(api, {
        resource,
        kind: { apiVersion, kind },
        selection: { metadataOnly: true },
        trim: ({ metadata }) => metadata.namespace?.startsWith(prefix) || undefined,
        changed: () => undefined,
        warn: () => undefined,
      });
      const isThere = () => seen.size >= wanted;
      await until(`there are ${wanted} of ${kind}`, isThere, { withinMs: longMs, everyMs: 20 });
    },
    pause: async () => async () => void opened.use(await standInNodes(kubeconfig, nodesCount)),
    async [Symbol.asyncDispose]() {
      for (const name of made) await api.delete({ ...namespace, name });
      // The next cluster that is opened makes them anew.
      for (const name of made)
        await until(`${name} is gone`, async () => !(await api.get({ ...namespace, name })), {
          withinMs: longMs,
        });
      await opened.disposeAsync();
    },
  };
}

/** Removes the namespaces that begin so, with all that is in them, and waits until they are gone. */
export async function removeNamespaces({ api, isFake }: BenchCluster, prefix: string): Promise<void> {
  if (isFake) return;
  const left = async () =>
    (await api.list(namespace, { metadataOnly: true })).items
      .map(({ metadata }) => metadata.name)
      .filter((name) => name.startsWith(prefix));
  for (const name of await left()) await api.delete({ ...namespace, name });
  await until("the namespaces are gone", async () => (await left()).length === 0, {
    withinMs: longMs,
    everyMs: 1_000,
  });
}
