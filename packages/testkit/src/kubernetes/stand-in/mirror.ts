import { pause } from "@starform/std/retry";
import type { Cluster } from "../cluster.ts";
import { specOf } from "../kinds/in-spec.ts";
import { keyOf, type Stored } from "../model/object.ts";
import type { NodeServer } from "./node-server.ts";

/** What a kubelet looks at, besides the pods themselves. */
const mirrored = [
  ["configmaps", { apiVersion: "v1", kind: "ConfigMap" }],
  ["secrets", { apiVersion: "v1", kind: "Secret" }],
  ["nodes", { apiVersion: "v1", kind: "Node" }],
  ["pods", { apiVersion: "v1", kind: "Pod" }],
] as const;

type Watched = {
  readonly server: NodeServer;
  readonly cluster: Cluster;
  /** Whose pods are looked at: those on other nodes have a kubelet of their own. */
  readonly nodes: ReadonlySet<string>;
};

/** Keeps the store as the server is, until the signal; resolves when it is so for the first time. */
export async function mirror(watched: Watched, signal: AbortSignal): Promise<void> {
  const { server, cluster } = watched;
  for (const [resource, kind] of mirrored) {
    let version = await readAll(watched, resource, kind);
    const follow = async (): Promise<void> => {
      while (!signal.aborted)
        try {
          for await (const { type, object } of server.watch(kind, { resourceVersion: version }, signal)) {
            version = (object as Stored).metadata.resourceVersion ?? version;
            if (type === "BOOKMARK" || !isSeen(watched, resource, object as Stored)) continue;
            if (type === "DELETED") cluster.store.remove(resource, object as Stored);
            else cluster.store.write(resource, object as Stored);
          }
        } catch {
          await pause(200, signal);
          version = await readAll(watched, resource, kind).catch(() => version);
        }
    };
    void follow();
  }
}

const isSeen = ({ nodes }: Watched, resource: string, object: Stored): boolean =>
  resource !== "pods" || nodes.has(String(specOf(object)["nodeName"]));

async function readAll(
  watched: Watched,
  resource: string,
  kind: Parameters<NodeServer["list"]>[0],
): Promise<string> {
  const { store } = watched.cluster;
  const { items: all, resourceVersion } = await watched.server.list(kind, {});
  const items = all.filter((object) => isSeen(watched, resource, object as Stored));
  const there = new Set(items.map(({ metadata }) => keyOf(metadata)));
  for (const object of store.list(resource))
    if (!there.has(keyOf(object.metadata))) store.remove(resource, object);
  for (const object of items) store.write(resource, object as Stored);
  return resourceVersion;
}
