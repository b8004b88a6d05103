import { pause } from "@starform/std/retry";
import type { Cluster } from "../cluster.ts";
import { keyOf, type Stored } from "../model/object.ts";
import type { NodeServer } from "./node-server.ts";

/** What a kubelet looks at, besides the pods themselves. */
const mirrored = [
  ["configmaps", { apiVersion: "v1", kind: "ConfigMap" }],
  ["secrets", { apiVersion: "v1", kind: "Secret" }],
  ["nodes", { apiVersion: "v1", kind: "Node" }],
  ["pods", { apiVersion: "v1", kind: "Pod" }],
] as const;

/** Keeps the store as the server is, until the signal; resolves when it is so for the first time. */
export async function mirror(server: NodeServer, cluster: Cluster, signal: AbortSignal): Promise<void> {
  for (const [resource, kind] of mirrored) {
    let version = await readAll(server, cluster, resource, kind);
    const follow = async (): Promise<void> => {
      while (!signal.aborted)
        try {
          for await (const { type, object } of server.watch(kind, { resourceVersion: version }, signal)) {
            version = (object as Stored).metadata.resourceVersion ?? version;
            if (type === "DELETED") cluster.store.remove(resource, object as Stored);
            else if (type !== "BOOKMARK") cluster.store.write(resource, object as Stored);
          }
        } catch {
          await pause(200, signal);
          version = await readAll(server, cluster, resource, kind).catch(() => version);
        }
    };
    void follow();
  }
}

async function readAll(
  server: NodeServer,
  { store }: Cluster,
  resource: string,
  kind: Parameters<NodeServer["list"]>[0],
): Promise<string> {
  const { items, resourceVersion } = await server.list(kind, {});
  const there = new Set(items.map(({ metadata }) => keyOf(metadata)));
  for (const object of store.list(resource))
    if (!there.has(keyOf(object.metadata))) store.remove(resource, object);
  for (const object of items) store.write(resource, object as Stored);
  return resourceVersion;
}
