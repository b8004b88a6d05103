import { openInformer } from "@starform/kubernetes/informer";
import type { KubeApi } from "@starform/kubernetes/kube-api";
import { keptLabel } from "./kept-secrets.ts";

/** Tells of every change in a collection of kept Secrets, by their metadata alone, and when the first list was read. */
export const watchKept =
  (api: KubeApi, namespace: string, collection: string, warn: (sentence: string) => void) =>
  (changed: () => void): AsyncDisposable => {
    const informer = openInformer(api, {
      resource: `kept ${collection}`,
      kind: { apiVersion: "v1", kind: "Secret" },
      selection: { namespace, labelSelector: `${keptLabel}=${collection}`, metadataOnly: true },
      trim: (object) => object.metadata.resourceVersion,
      changed: () => changed(),
      warn,
    });
    void informer.synced().then(changed);
    return informer;
  };
