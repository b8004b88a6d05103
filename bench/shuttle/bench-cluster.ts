import { fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { KindRef, KubeApi, KubeObject } from "@starform/kubernetes/kube-api";
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
  /** One look, and then what the server tells: to list a thousand takes it 60 ms, of a time that is measured. */
  const grown = async (kind: KindRef, prefix: string, wanted: number, signal: AbortSignal): Promise<void> => {
    const [metadataOnly, found] = [true, new Set<string>()];
    const { items, resourceVersion } = await api.list(kind, { metadataOnly }, signal);
    const note = ({ metadata: { namespace = "", name } }: KubeObject, isThere = true): void => {
      if (!namespace.startsWith(prefix)) return;
      if (isThere) found.add(`${namespace}/${name}`);
      else found.delete(`${namespace}/${name}`);
    };
    for (const item of items) note(item);
    if (found.size >= wanted) return;
    for await (const { type, object } of api.watch(kind, { resourceVersion, metadataOnly }, signal)) {
      if (type !== "BOOKMARK") note(object, type !== "DELETED");
      if (found.size >= wanted) return;
    }
    // A watch ends after some minutes.
    await grown(kind, prefix, wanted, signal);
  };
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
    grown: ({ apiVersion, kind }, prefix, wanted) =>
      grown({ apiVersion, kind }, prefix, wanted, AbortSignal.timeout(longMs)),
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
