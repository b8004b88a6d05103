import type { KubeApi, KubeObject } from "@starform/kubernetes/kube-api";

/** What is kept in a Secret of Shuttle's own namespace; the label tells the collections apart. */
export type KeptSecret = { readonly name: string; readonly data: Readonly<Record<string, Buffer>> };
/** As it was read. */
export type ReadSecret = KeptSecret & { readonly resourceVersion: string | undefined };
export type KeptSecrets = {
  list(): Promise<readonly ReadSecret[]>;
  /** By their metadata alone: no body travels. */
  names(): Promise<readonly string[]>;
  put(secret: KeptSecret): Promise<void>;
  /** With a version only as it was read then, for somebody may have written it since. */
  remove(name: string, resourceVersion?: string): Promise<void>;
};

/** Not `managed-by`: what is collected when it left desired state must never be what remembers it. */
export const keptLabel = "starform.io/kept";
const manager = "shuttle-kept";

/** Secrets of one collection, `desired-state` or `overrides`, in the namespace that Shuttle runs in. */
export function keptSecrets(api: KubeApi, namespace: string, collection: string): KeptSecrets {
  const kind = { apiVersion: "v1", kind: "Secret" } as const;
  return {
    async list() {
      const labelSelector = `${keptLabel}=${collection}`;
      // A version of desired state is up to 1 MiB: few at a time keep an answer small.
      const { items } = await api.list(kind, { namespace, labelSelector, pageSize: 10 });
      return items.map((item) => ({
        name: item.metadata.name,
        data: dataOf(item),
        resourceVersion: item.metadata.resourceVersion,
      }));
    },
    async names() {
      const labelSelector = `${keptLabel}=${collection}`;
      const { items } = await api.list(kind, { namespace, labelSelector, metadataOnly: true });
      return items.map((item) => item.metadata.name);
    },
    async put({ name, data }) {
      await api.apply(
        {
          ...kind,
          metadata: { name, namespace, labels: { [keptLabel]: collection } },
          type: "Opaque",
          data: Object.fromEntries(
            Object.entries(data).map(([key, bytes]) => [key, bytes.toString("base64")]),
          ),
        },
        { fieldManager: manager, force: true },
      );
    },
    async remove(name, resourceVersion) {
      await api.delete({ ...kind, namespace, name, resourceVersion });
    },
  };
}

const dataOf = (item: KubeObject): Record<string, Buffer> =>
  Object.fromEntries(
    Object.entries((item["data"] ?? {}) as Record<string, string>).map(([key, text]) => [
      key,
      Buffer.from(text, "base64"),
    ]),
  );
