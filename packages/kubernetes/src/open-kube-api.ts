import { inClusterConnection, type Connection, type KubeAccess } from "./connection.ts";
import { discovery } from "./discovery.ts";
import type { KindRef, KubeApi, KubeObject, ObjectRef, WatchEvent } from "./kube-api.ts";
import { isKubeError, KubeError, type KubeStatus } from "./kube-error.ts";
import { kubeconfigConnection } from "./kubeconfig-connection.ts";
import { listPages } from "./list-pages.ts";
import { kubeTransport, type KubeRequest } from "./transport.ts";

export type KubeApiOptions = {
  /** For a whole answer; of a watch, until it begins. 30 s by default, as kubectl waits at most for ordinary calls. */
  readonly timeoutMs?: number;
  readonly userAgent?: string;
};

const partialObject = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
/** A server sends a bookmark about each minute: three missed ones are a dead connection. */
const watchIdleMs = 200_000;
/** The server ends a watch by itself after 4 to 5 min, so that watches do not all come back at once. */
const watchSeconds = () => 240 + Math.floor(Math.random() * 60);
const logBytesMax = 256 * 1_024;

/**
 * Opens the calls of `KubeApi` over HTTP. Discovery, credentials and the server itself are looked at with the first call,
 * so a server that is away keeps nobody from starting; a kubeconfig that cannot be read is an error at once. Objects are
 * plain JSON as the server sends them: the library's generated classes drop fields that are newer than they are.
 */
export async function openKubeApi(access: KubeAccess, options: KubeApiOptions = {}): Promise<KubeApi> {
  const connection = "inCluster" in access ? inClusterConnection(access) : await kubeconfigConnection(access);
  return kubeApi(connection, options);
}

function kubeApi(
  connection: Connection,
  { timeoutMs = 30_000, userAgent = "starform" }: KubeApiOptions,
): KubeApi {
  const transport = kubeTransport(connection, { timeoutMs, userAgent });
  const found = discovery(transport);

  /** A 404 that names no object: the kind itself has gone, and discovery is read again with the next call. */
  async function ask(kind: KindRef, what: KubeRequest, signal?: AbortSignal) {
    try {
      return await transport.call(what, signal);
    } catch (error) {
      if (isKubeError(error, 404) && error.body.details?.name === undefined) found.forget(kind);
      throw error;
    }
  }
  async function send(
    ref: ObjectRef,
    what: Omit<KubeRequest, "path"> & { path: string },
    signal?: AbortSignal,
  ) {
    const { text } = await ask(ref, what, signal);
    return JSON.parse(text) as KubeObject;
  }
  const refOf = ({ apiVersion, kind, metadata: { name, namespace } }: KubeObject): ObjectRef => ({
    apiVersion,
    kind,
    name,
    namespace,
  });

  return {
    async version(signal) {
      const { text } = await transport.call({ method: "GET", path: "/version" }, signal);
      return (JSON.parse(text) as { gitVersion: string }).gitVersion;
    },
    serves: (kind, signal) => found.serves(kind, signal),
    async apply(object, { fieldManager, force, dryRun }, signal) {
      const ref = refOf(object);
      const query = {
        fieldManager,
        fieldValidation: "Strict",
        force: force ? "true" : undefined,
        dryRun: dryRun ? "All" : undefined,
      };
      return send(
        ref,
        {
          method: "PATCH",
          path: await found.pathOf(ref, undefined, signal),
          query: query as Record<string, string | undefined>,
          contentType: "application/apply-patch+yaml",
          body: object,
        },
        signal,
      );
    },
    async create(object, signal) {
      const path = await found.collectionOf({ ...refOf(object) }, signal);
      return send(
        refOf(object),
        { method: "POST", path, query: { fieldValidation: "Strict" }, body: object },
        signal,
      );
    },
    async patch({ subresource, ...ref }, patch, signal) {
      const path = await found.pathOf(ref, subresource, signal);
      return send(
        ref,
        { method: "PATCH", path, contentType: "application/merge-patch+json", body: patch },
        signal,
      );
    },
    async get({ metadataOnly, ...ref }, signal) {
      try {
        const path = await found.pathOf(ref, undefined, signal);
        const what = { method: "GET", path, ...(metadataOnly ? { accept: partialObject } : {}) } as const;
        const { apiVersion, kind } = ref;
        return { ...(await send(ref, what, signal)), apiVersion, kind };
      } catch (error) {
        if (isKubeError(error, 404)) return undefined;
        throw error;
      }
    },
    async list(kind, selection, signal) {
      const path = await found.collectionOf({ ...kind, namespace: selection.namespace }, signal);
      return listPages((what) => ask(kind, { method: "GET", path, ...what }, signal), kind, selection);
    },
    async delete({ uid, resourceVersion, propagation = "Background", gracePeriodSeconds, ...ref }, signal) {
      const isAny = uid === undefined && resourceVersion === undefined;
      const body = {
        apiVersion: "v1",
        kind: "DeleteOptions",
        propagationPolicy: propagation,
        ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
        ...(isAny ? {} : { preconditions: { uid, resourceVersion } }),
      };
      try {
        await ask(ref, { method: "DELETE", path: await found.pathOf(ref, undefined, signal), body }, signal);
        return true;
      } catch (error) {
        // Another object of that name, or another form of it, is not the one that was meant: that one is gone.
        if (isKubeError(error, 404) || (!isAny && isKubeError(error, 409))) return false;
        throw error;
      }
    },
    async *watch(kind, { namespace, labelSelector, fieldSelector, resourceVersion, metadataOnly }, signal) {
      const path = await found.collectionOf({ ...kind, namespace }, signal);
      const query = {
        watch: "true",
        allowWatchBookmarks: "true",
        timeoutSeconds: String(watchSeconds()),
        resourceVersion,
        labelSelector,
        fieldSelector,
      };
      const what = {
        method: "GET" as const,
        path,
        query: query as Record<string, string | undefined>,
        ...(metadataOnly ? { accept: partialObject } : {}),
      };
      for await (const line of transport.lines(what, watchIdleMs, signal)) yield eventOf(line, kind);
    },
    async podLog({ namespace, pod, container, previous, tailLines }, signal) {
      const ref = { apiVersion: "v1", kind: "Pod", namespace, name: pod };
      const query = {
        container,
        tailLines: String(tailLines),
        limitBytes: String(logBytesMax),
        previous: previous ? "true" : undefined,
      };
      const { text } = await ask(
        ref,
        {
          method: "GET",
          path: await found.pathOf(ref, "log", signal),
          accept: "*/*",
          query: query as Record<string, string | undefined>,
        },
        signal,
      );
      return text;
    },
    async [Symbol.asyncDispose]() {
      connection[Symbol.dispose]();
    },
  };
}

/** An `ERROR` event holds the Status that ended the watch: the answer itself had begun with 200. */
function eventOf(line: string, { apiVersion, kind }: KindRef): WatchEvent {
  const event = JSON.parse(line) as { type: WatchEvent["type"] | "ERROR"; object: KubeObject & KubeStatus };
  if (event.type === "ERROR") throw new KubeError(event.object.code ?? 500, event.object);
  return { type: event.type, object: { ...event.object, apiVersion, kind } };
}
